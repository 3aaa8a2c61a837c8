#!/usr/bin/env python3
"""One row for each resolver: what it proposes for conflict hunks, and what people wrote there.

  PYTHONPATH=CORPUS resolvers.py 'syncer merge-file --batch --hunks' [seen|unseen]

CORPUS is the folder with the scorer (bench.py, hunks.py, score.py), which aligns
what a person committed with the hunks of a three-way merge. "agree" counts a
proposal that equals the person's text but for white space or the order of lines;
in brackets, without the hunks in which the person kept one side. A hunk around
which the person changed more cannot be aligned. The halves are made by a hash of
the repository's name.
"""
import collections
import hashlib
import json
import subprocess
import sys

from bench import bench
from hunks import work
from score import lset, reference, ws


def half(repo):
    return "seen" if hashlib.sha256(repo.encode()).digest()[0] % 2 == 0 else "unseen"


def same(a, texts):
    return any(a == t or ws(a) == ws(t) or lset(a) == lset(t) for t in texts)


def main():
    command, which = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    files = bench(("public",))
    conflicts = reference(files)
    files = [f for f in files if conflicts[f["id"]] and which in (None, half(f["repo"]))]
    lines = "".join(json.dumps({k: f[k] for k in ("id", "path", "base", "ours", "theirs")}) + "\n" for f in files)
    out = subprocess.run(command, shell=True, input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    answers = {a["id"]: a for a in map(json.loads, out.splitlines())}
    rows = collections.defaultdict(collections.Counter)
    for f in files:
        people = {("".join(h["b"]), "".join(h["o"]), "".join(h["t"])): h for h in work(f)[2]}
        for h in answers[f["id"]].get("hunks", []):
            row = rows[h["tier"], h.get("resolver", "")]
            p = people.get((h["base"], h["ours"], h["theirs"]))
            texts = [] if p is None else ["".join(p[k]) for k, e in (("h", "exact"), ("h2", "exact2")) if p.get(e)]
            if not texts:
                row["unaligned"] += 1
            elif "proposal" in h and same(h["proposal"], texts):
                row["agree"] += 1
            elif same(h["ours"], texts) or same(h["theirs"], texts):
                row["one side"] += 1
            else:
                row["other"] += 1
    for (tier, name), r in sorted(rows.items(), key=lambda x: -sum(x[1].values())):
        aligned = sum(r.values()) - r["unaligned"]
        print("%-10s %-15s hunks %5d  agree %5.1f %% (%5.1f %%)" % (
            tier, name, sum(r.values()), 100 * r["agree"] / max(1, aligned), 100 * r["agree"] / max(1, r["agree"] + r["other"])))


if __name__ == "__main__":
    main()
