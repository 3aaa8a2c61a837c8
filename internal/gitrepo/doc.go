// Package gitrepo speaks git, without needing the git program.
//
// It has two sides. A [Platform] is where golden paths are read: a URL, which a
// [Cache] keeps a bare mirror of, a git repository on this machine, or a plain
// folder. [Platform.Resolve] turns what somebody wants ("stable", "^1.2", a
// branch) into a [Revision], and [Platform.Tree] reads that revision's files.
//
// A [Member] is a repository on this machine that follows golden paths. Files
// are read one by one, never by walking everything, so that a member with 50,000
// files costs as much as one with 60. It is written in two ways:
// [Member.Apply] changes the work tree, all or nothing, and [Member.Commit] makes
// a commit on a branch that nobody has checked out, without touching the work
// tree or the index. [Create] makes a new repository.
//
// Nobody's bytes are lost on the way: Apply refuses to write through symbolic
// links, notices files that change under its hands, and keeps a journal, so that
// [Member.Recover] finishes or undoes what a crash cut short. References move by
// compare-and-swap under git's own lock files, so git may run at the same time.
//
// Objects and the wire protocol are go-git's. References, the index and git's
// configuration are read here, because go-git's reference update is not safe
// against a running git, its index reader takes 20 times as long, and it refuses
// repositories with extensions that are harmless to us.
package gitrepo
