#!/usr/bin/env python3
"""Hold every merge of a corpus to what the merge promises.

  PYTHONPATH=CORPUS holds.py 'syncer merge-file --batch --resolve --hunks' [SPLIT]

It prints how often the merged files break one of these, with the file's number:

  loss      a line that ours brought is neither in the merged file nor named by a
            hunk as ours; nor is one that theirs brought, which is neither in the
            merged file nor in a hunk as theirs
  parses    the three versions parse (JSON, YAML, TOML, XML), the merged file does not
  twice     a line of substance, or a key of a JSON or YAML map, is twice in one place
            in the merged file where neither side has it twice

A line that git's own merge has twice as well is counted apart: the merge is that
of the lines, byte for byte. YAML is checked where PyYAML is installed.
"""
import collections
import json
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree

from bench import bench
from score import reference

try:
    import yaml
except ImportError:
    yaml = None


class Twice(Exception):
    pass


def pairs(items):
    keys = [k for k, _ in items]
    if len(keys) != len(set(keys)):
        raise Twice
    return dict(items)


def once(node):
    if isinstance(node, yaml.MappingNode):
        keys = [k.value for k, _ in node.value if isinstance(k, yaml.ScalarNode)]
        if len(keys) != len(set(keys)):
            raise Twice
        for _, v in node.value:
            once(v)
    elif isinstance(node, yaml.SequenceNode):
        for v in node.value:
            once(v)


def state(path, text):
    """what a parser says: "ok", "twice" or "broken"; None for a format without one"""
    ext = path.rsplit(".", 1)[-1].lower()
    try:
        if ext == "json":
            json.loads(text, object_pairs_hook=pairs)
        elif ext in ("yml", "yaml") and yaml:
            for d in yaml.compose_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
                if d is not None:
                    once(d)
        elif ext == "toml":
            tomllib.loads(text)
        elif ext in ("xml", "csproj", "pom"):
            xml.etree.ElementTree.fromstring(text)
        else:
            return None
    except Twice:
        return "twice"
    except Exception:
        return "broken"
    return "ok"


def lines(text):
    return collections.Counter(re.sub(r"\s+", "", x).rstrip(",;") for x in text.split("\n"))


def substance(line):
    return sum(c.isalnum() for c in line) > 3


def repeated(f, text):
    b, o, t, m = (lines(x) for x in (f["base"], f["ours"], f["theirs"], text))
    return [x for x in m if m[x] > 1 and substance(x) and m[x] > max(o[x], t[x]) and
            (o[x] < 2 and t[x] < 2 or m[x] > o[x] + t[x] - min(b[x], o[x], t[x]))]


def lost(f, text, hunks, side):
    kept = lines(text) + lines("\n".join(h[side] for h in hunks))
    return [x for x in lines(f[side]) - lines(f["base"]) if x and not kept[x]]


def main():
    command, split = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "public"
    files = bench((split,))
    conflicts = reference(files)
    feed = "".join(json.dumps({k: f[k] for k in ("id", "path", "base", "ours", "theirs")}) + "\n" for f in files)
    out = subprocess.run(command, shell=True, input=feed.encode(), stdout=subprocess.PIPE, check=True).stdout
    answers = {a["id"]: a for a in map(json.loads, out.splitlines())}
    found = collections.defaultdict(list)
    clean = 0
    for f in files:
        a = answers[f["id"]]
        if a["conflicts"]:
            continue
        clean += 1
        text, hunks = a["merged"], a.get("hunks", [])
        like = "" if hunks or conflicts[f["id"]] else " (as git merges it)"
        if lost(f, text, hunks, "ours") or lost(f, text, hunks, "theirs"):
            found["loss"].append(f["id"])
        before = {state(f["path"], f[s]) for s in ("base", "ours", "theirs")}
        after = state(f["path"], text)
        if after == "broken" and "broken" not in before:
            found["parses"].append(f["id"])
        if after == "twice" and before == {"ok"}:
            found["twice" + like].append(f["id"])
        elif repeated(f, text):
            found["twice" + like].append(f["id"])
    print("clean files: %d" % clean)
    for what in ("loss", "parses", "twice", "twice (as git merges it)"):
        print("%-26s %d %s" % (what, len(found[what]), " ".join(map(str, found[what][:8]))))


if __name__ == "__main__":
    main()
