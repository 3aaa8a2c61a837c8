#!/usr/bin/env python3
"""Count the files that whole template updates leave in conflict.

  events.py CORPUS --batch 'syncer merge-file --batch' [--batch …] [--half seen|unseen]

CORPUS is a folder with public/*.jsonl.gz as its README describes. For git's own
engine, and for each --batch command, with and without the policies for files by
kind, it prints how many events are free of conflicts and how many files the
median event leaves. With the policies, what the golden path deleted and the
member had edited follows the deletion, what the member deleted stays deleted,
and the batch command gets --policies. With --suggested, suggestions count as
resolved.
"""
import argparse
import collections
import glob
import gzip
import hashlib
import json
import os
import statistics
import subprocess
import tempfile


def half(repo):
    return "seen" if hashlib.sha256(repo.encode()).digest()[0] % 2 == 0 else "unseen"


def load(root, which):
    events, files = {}, []
    for name in sorted(glob.glob(os.path.join(root, "public", "*.jsonl.gz"))):
        with gzip.open(name, "rt", encoding="utf-8", newline="\n") as f:
            head = json.loads(f.readline())
            if head["corpus"] != "nf-core" or which and half(head["repo"]) != which:
                continue
            blobs, triples = {}, []
            for line in f:
                d = json.loads(line)
                if d["t"] == "event" and not d["human_ignored_template"]:
                    events[d["id"]] = d
                elif d["t"] == "triple":
                    triples.append(d)
                elif d["t"] == "blob":
                    blobs[d["id"]] = d.get("s")
            for t in triples:
                if t["event"] in events and t["cls"] in ("content", "rename", "add_add", "mod_del", "del_mod"):
                    for side in ("base", "ours", "theirs"):
                        t[side] = blobs.get(t[side]) if t[side] else ""
                    files.append(t)
    return events, files


def git(files):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    open_ = set()
    with tempfile.TemporaryDirectory() as d:
        for t in files:
            paths = []
            for side in ("ours", "base", "theirs"):
                paths.append(os.path.join(d, side))
                with open(paths[-1], "w", encoding="utf-8", newline="") as f:
                    f.write(t[side])
            if subprocess.run(["git", "merge-file", "-p", "-q", *paths], env=env, stdout=subprocess.DEVNULL).returncode:
                open_.add(id(t))
    return open_


def batch(command, files):
    lines = "".join(json.dumps({"id": n, **{k: t[k] for k in ("path", "base", "ours", "theirs")}}) + "\n" for n, t in enumerate(files))
    out = subprocess.run(command, shell=True, input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    return {id(files[d["id"]]) for d in map(json.loads, out.splitlines()) if d["conflicts"]}


def report(name, events, files, conflicts, policies):
    left = collections.Counter({e: 0 for e in events})
    for t in files:
        whole = t["cls"] in ("mod_del", "del_mod") or any(t[s] is None for s in ("base", "ours", "theirs"))
        deleted = t["cls"] in ("mod_del", "del_mod")
        if whole and not (deleted and policies) or not whole and id(t) in conflicts:
            left[t["event"]] += 1
    n = list(left.values())
    print("%-44s events %4d  free of conflicts %5.1f %%  two files left or fewer %5.1f %%  median files left %g  mean %.1f" % (
        name + (" + policies" if policies else ""), len(n), 100 * n.count(0) / len(n), 100 * sum(x <= 2 for x in n) / len(n), statistics.median(n), statistics.mean(n)))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("corpus")
    p.add_argument("--batch", required=True)
    p.add_argument("--half", choices=("seen", "unseen"))
    a = p.parse_args()
    events, files = load(a.corpus, a.half)
    texts = [t for t in files if t["cls"] not in ("mod_del", "del_mod") and all(t[s] is not None for s in ("base", "ours", "theirs"))]
    g = git(texts)
    report("git merge-file", events, files, g, False)
    report("git merge-file", events, files, g, True)
    report("merged", events, files, batch(a.batch, texts), False)
    report("merged", events, files, batch(a.batch + " --policies", texts), True)
    report("merged and suggested", events, files, batch(a.batch + " --suggested apply", texts), False)
    report("merged and suggested", events, files, batch(a.batch + " --suggested apply --policies", texts), True)


if __name__ == "__main__":
    main()
