// What a page does beyond what the server wrote: local times, live parts, keys, theme, orders to the API.
// Text from the server is only ever set as text; whole elements come from our own pages alone.
import { connect } from "./live.js";
import { listen } from "./keys.js";
import { offerActs } from "./acts.js";
import { tell } from "./times.js";
import { offerThemes } from "./themes.js";

tell(document);
setInterval(() => tell(document, true), 1000);
offerThemes();
listen();
offerActs();
connect();
