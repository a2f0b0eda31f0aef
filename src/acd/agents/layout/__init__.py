"""Where agents keep their history: folders, and names of files. Nothing is opened, and next to nothing loaded.

`acd import` looks at every file at each call, nearly always to find nothing new. So what it needs for that stands apart
from what reads the files: these modules load `os`, `re` and `pathlib` alone (a test holds it).
"""
