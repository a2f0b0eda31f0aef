"""Steps that treat the feature list badly. Without `key` each takes the entry that suits it best."""

from __future__ import annotations

from acd.testing.scripted_agent import acts, feature_list
from acd.testing.scripted_agent.session import Session
from acd.testing.scripted_agent.steps import Asking, Step
from acd.testing.scripted_agent.wire import Json


class Tampering(Asking, frozen=True):
    """A change of one entry, committed unless `commit` is false."""

    key: str | None = None
    commit: bool = True

    def perform(self, session: Session) -> None:
        """Change the list; nothing happens where no entry suits."""
        features = feature_list.FeatureList(session.feature_list)
        entry = features.find(self.key) if self.key is not None else self._suitable(features)
        if entry is None:
            return
        key, change = feature_list.key_of(entry), self._change(features, entry)
        acts.rewrite_list(session, features, key, change, self.charge)
        if self.commit:
            acts.commit(session, "Update the feature list", self.charge)

    def _suitable(self, features: feature_list.FeatureList) -> Json | None:
        return features.entries[-1] if features.entries else None

    def _change(self, features: feature_list.FeatureList, entry: Json) -> str:
        raise NotImplementedError


class ClaimFalsely(Tampering, frozen=True, tag="claim_falsely"):
    """Set a feature to passing and do nothing for it (default: the next pending one)."""

    def _suitable(self, features: feature_list.FeatureList) -> Json | None:
        return features.next_pending()

    def _change(self, features: feature_list.FeatureList, entry: Json) -> str:
        feature_list.set_passing(entry, True)
        return "false_claim"


class Unclaim(Tampering, frozen=True, tag="unclaim"):
    """Set a passing feature back (default: the first passing one)."""

    def _suitable(self, features: feature_list.FeatureList) -> Json | None:
        return next(filter(feature_list.is_passing, features.entries), None)

    def _change(self, features: feature_list.FeatureList, entry: Json) -> str:
        feature_list.set_passing(entry, False)
        return "regressed"


class DeleteFeature(Tampering, frozen=True, tag="delete_feature"):
    """Remove a feature from the list (default: the last)."""

    def _change(self, features: feature_list.FeatureList, entry: Json) -> str:
        features.entries.remove(entry)
        return "removed"


class RewordFeature(Tampering, frozen=True, tag="reword_feature"):
    """Make a feature say something easier (default: the last)."""

    text: str = "Something easier."

    def _change(self, features: feature_list.FeatureList, entry: Json) -> str:
        entry["description"] = self.text
        return "reworded"


class HalfWriteList(Step, frozen=True, tag="half_list"):
    """Leave the file cut off in the middle, as a killed writer does."""

    def perform(self, session: Session) -> None:
        """Cut it."""
        data = session.feature_list.read_bytes()
        with session.gate.held():
            session.feature_list.write_bytes(data[: len(data) // 2])
            session.touch_feature("*", "truncated")
