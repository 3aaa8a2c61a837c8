#!/usr/bin/env python3
"""Why people disagree: what they did in the files that a merge made clean and they did not
commit like that, and how high each aim could be.

  PYTHONPATH=CORPUS disagree.py 'syncer merge-file --batch --resolve' [seen|unseen] [--show N]

CORPUS is the folder with the scorer (bench.py, hunks.py, m3.py, score.py). Everything that
is said of a file or a hunk is a comparison of texts, white space aside:

  file kept           the person's file is ours, as a whole
  file taken          the person's file is theirs, as a whole
  changed elsewhere   something differs that no hunk is about: what the lines alone merge
                      cleanly was changed as well
  kept, taken         in the first hunk that differs the person's text is ours, theirs
  both dropped        it has no line that either side brought
  re-formatted        it has the words that were merged, in other signs
  both kept           it has every line of ours and of theirs
  third text          it is anything else; "new words" where it has some of no version
  moved on            the lines around the hunk were changed, so that it cannot be found

The ceilings: "changed elsewhere" is out of reach for any merge that keeps what git merges
cleanly, and of hunks with the same three texts no merge can do better than what most
people wrote. --show prints some cases of the half that was looked at.
"""
import argparse
import collections
import hashlib
import json
import re
import subprocess

from bench import bench
from hunks import lines, work
from m3 import changes
from score import lset, reference, verdict, ws

CLASSES = ("file kept", "file taken", "changed elsewhere", "kept", "taken", "both dropped", "re-formatted",
           "both kept", "third text", "new words", "moved on")


def half(repo):
    return "seen" if hashlib.sha256(repo.encode()).digest()[0] % 2 == 0 else "unseen"


def words(text):
    return re.findall(r"\w+", text)


def brought(base, side):
    was = collections.Counter(ws(x) for x in base.split("\n"))
    return collections.Counter(x for x in map(ws, side.split("\n")) if x) - was


def same(a, b):
    return ws(a) == ws(b) or lset(a) == lset(b)


def people(f):
    """what the person committed, at the merge and at the end"""
    return [x for x in (f["human"], f["human_first"]) if x is not None]


def elsewhere(chunks, text):
    """whether a text differs from a merge's clean parts anywhere but beside its hunks"""
    parts = []
    for c in chunks:
        parts += [w for w in map(ws, c[1]) if w] if c[0] == "ok" else [("hunk", len(parts))]
    have = [w for w in map(ws, lines(text)) if w]
    return any(not any(isinstance(p, tuple) for p in parts[a:b]) for a, b, _, _ in changes(parts, have))


def of_hunk(f, h, merged, text):
    """what a person's text in the place of a hunk is"""
    base, ours, theirs = ("".join(h[k]) for k in "bot")
    both = brought(base, ours), brought(base, theirs)
    have = collections.Counter(x for x in map(ws, text.split("\n")) if x)
    known = set(words(f["base"])) | set(words(f["ours"])) | set(words(f["theirs"]))
    if same(text, ours):
        return "kept"
    if same(text, theirs):
        return "taken"
    if not (both[0] | both[1]) & have:
        return "both dropped"
    if sorted(words(text)) == sorted(words(merged)):
        return "re-formatted"
    if not (both[0] | both[1]) - have:
        return "both kept"
    return "third text" if set(words(text)) <= known else "new words"


def of_file(f, answer, chunks, found):
    """the class of a file that people disagree with, and the hunk that says so"""
    for name, side in (("file kept", "ours"), ("file taken", "theirs")):
        if any(same(p, f[side]) for p in people(f)):
            return name, None
    if all(elsewhere(chunks, p) for p in people(f)):
        return "changed elsewhere", None
    at = {tuple("".join(h[k]) for k in "bot"): h for h in found}
    lost = None
    for mine in answer.get("hunks", []):
        h = at.get((mine["base"], mine["ours"], mine["theirs"]))
        texts = [] if h is None else ["".join(h[k]) for k, exact in (("h", "exact"), ("h2", "exact2")) if h.get(exact)]
        merged = mine.get("proposal", mine["ours"])
        if not texts:
            lost = lost or mine
        elif not any(same(merged, t) for t in texts):
            return of_hunk(f, h, merged, texts[0]), (mine, texts[0])
    return "moved on", (lost, None) if lost else None


def of_open(f, answer, found):
    """the classes of the hunks that are left open"""
    at = {tuple("".join(h[k]) for k in "bot"): h for h in found}
    for mine in answer.get("hunks", []):
        if "proposal" not in mine:
            h = at.get((mine["base"], mine["ours"], mine["theirs"]))
            texts = [] if h is None else ["".join(h[k]) for k, exact in (("h", "exact"), ("h2", "exact2")) if h.get(exact)]
            yield of_hunk(f, h, "", texts[0]) if texts else "moved on"


def table(title, what, rows, most=12):
    used = [c for c in CLASSES if any(r[c] for r in rows.values())]
    print("\n%s\n\n| | %s | %s |\n%s|" % (title, what, " | ".join(used), "|---" * (len(used) + 2)))
    for name in sorted(rows, key=lambda n: (-sum(rows[n].values()), n))[:most]:
        r = rows[name]
        print("| %s | %d | %s |" % (name, sum(r.values()), " | ".join(str(r[c]) if r[c] else "" for c in used)))


def share(part, whole):
    return "%d of %d, %.1f %%" % (part, whole, 100 * part / max(1, whole))


def alike(files, hunks):
    """of the hunks that occur more than once, how many were resolved as most of their like were"""
    groups = collections.defaultdict(collections.Counter)
    for f in files:
        for h in hunks[f["id"]][1]:
            if h["exact"]:
                key = tuple("\n".join(x.strip() for x in h[k]) for k in "bot")
                groups[key][ws("".join(h["h"]))] += 1
    groups = [g for g in groups.values() if sum(g.values()) > 1]
    return sum(max(g.values()) for g in groups), sum(sum(g.values()) for g in groups)


def show(cases, n):
    cut = lambda text: " ⏎ ".join(x.strip()[:60] for x in text.strip().split("\n")[:3]) or "(nothing)"
    cases = [c for c in cases if half(c[0]["repo"]) == "seen" and c[2] and c[2][1] is not None]
    seen = collections.Counter()
    for f, name, (mine, text) in sorted(cases, key=lambda c: hashlib.sha256(c[0]["id"].encode()).digest()):
        if seen[name, mine["resolver"]] or sum(seen.values()) == n:
            continue
        seen[name, mine["resolver"]] += 1
        print("\n%s, .%s: %s" % (mine["resolver"], f["ext"], name))
        for k, v in (("base", mine["base"]), ("ours", mine["ours"]), ("theirs", mine["theirs"]), ("merged", mine.get("proposal", "")), ("person", text)):
            print("  %-7s %s" % (k, cut(v)))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("command")
    p.add_argument("half", nargs="?", choices=("seen", "unseen"))
    p.add_argument("--show", type=int, default=0)
    a = p.parse_args()
    files = [f for f in bench(("public",)) if a.half in (None, half(f["repo"]))]
    conflicts = reference(files)
    feed = "".join(json.dumps({k: f[k] for k in ("id", "path", "base", "ours", "theirs")}) + "\n" for f in files)
    out = subprocess.run(a.command + " --hunks", shell=True, input=feed.encode(), stdout=subprocess.PIPE, check=True).stdout
    answers = {d["id"]: d for d in map(json.loads, out.splitlines())}
    open_ = [f for f in files if conflicts[f["id"]]]
    hunks = {f["id"]: work(f)[1:] for f in open_}
    agrees = {f["id"]: verdict(answers[f["id"]]["merged"], f) in ("exact", "ws", "order") for f in files if not answers[f["id"]]["conflicts"]}

    by_kind, by_resolver, cases = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter), []
    for f in open_:
        if agrees.get(f["id"], True):
            continue
        name, case = of_file(f, answers[f["id"]], *hunks[f["id"]])
        cases.append((f, name, case))
        by_kind[f["ext"] or "(none)"][name] += 1
        by_kind["all"][name] += 1
        by_resolver[case[0]["resolver"] if case else "(the whole file)"][name] += 1
    table("Files that git conflicts on, made clean, that people committed otherwise; by kind", "files", by_kind)
    table("The same, by the resolver of the first hunk that differs", "files", by_resolver)
    left = collections.Counter(c for f in open_ for c in of_open(f, answers[f["id"]], hunks[f["id"]][1]))
    table("What people wrote in the places that are left open", "places", {"all": left})

    clean = [f for f in open_ if f["id"] in agrees]
    good = sum(agrees[f["id"]] for f in clean)
    out_of = {f["id"] for f in open_ if all(elsewhere(hunks[f["id"]][0], x) for x in people(f))}
    easy = [f for f in files if f["id"] in agrees and not conflicts[f["id"]]]
    ok = sum(agrees[f["id"]] for f in easy)
    out_clean = sum(f["id"] in out_of for f in clean if not agrees[f["id"]])
    top, among = alike(open_, hunks)
    print("\nCeilings")
    print("files that git merges cleanly, agreed (nothing to decide in them): %s" % share(ok, len(easy)))
    print("files that git conflicts on, changed elsewhere as well: %s" % share(len(out_of), len(open_)))
    print("files made clean that git conflicts on, agreed: %s" % share(good, len(clean)))
    print("  at most, had every hunk been as the person wrote it: %s" % share(len(clean) - out_clean, len(clean)))
    print("  agreed, without those that were changed elsewhere: %s" % share(good, len(clean) - out_clean))
    print("all files made clean, agreed: %s" % share(ok + good, len(easy) + len(clean)))
    print("  at most: %s" % share(ok + len(clean) - out_clean, len(easy) + len(clean)))
    print("hunks with the same three texts as another, resolved as most of them: %s" % share(top, among))
    show(cases, a.show)


if __name__ == "__main__":
    main()
