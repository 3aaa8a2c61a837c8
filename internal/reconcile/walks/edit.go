package walks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

// keep writes into .goldenpath.yaml that files stay as they are: on the branch of a
// pull request of ours, and elsewhere on the default branch.
func (d *ordered) keep(ctx context.Context, words []string) (string, error) {
	k := drift.Keep{Path: words[0]}
	day, rest, wrong := d.until(words[1:])
	if wrong == nil && (len(rest) < 2 || strings.ToLower(rest[0]) != "because") {
		wrong = errors.New("say why, for those who come later: /syncer keep PATH [until YYYY-MM-DD] because REASON")
	}
	if wrong != nil {
		return nothing(wrong), nil
	}
	k.Until, k.Reason = day, strings.Join(rest[1:], " ")
	m, ok, err := d.mine(ctx)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return d.keepOnDefault(ctx, k)
	case m.ours():
		return d.keepAnew(ctx, m, k)
	}
	branch, err := d.client.Look(ctx, Ask{Ref: m.Head, Contents: ownFiles})
	if err != nil {
		return "", err
	}
	text, answer, err := kept(ctx, d.client, branch, k)
	if err != nil {
		return nothing(err), nil
	}
	if err := d.onTop(ctx, branch, withFile(branch, text, "").Changes, keepMessage(k), Step{Answer: answer}); err != nil {
		return "", err
	}
	return d.follow(ctx)
}

func keepMessage(k drift.Keep) string { return fmt.Sprintf("Keep %s\n\n%s\n", k.Path, k.Reason) }

func (d *ordered) keepOnDefault(ctx context.Context, k drift.Keep) (string, error) {
	look, err := d.client.Look(ctx, Ask{Contents: ownFiles})
	if err != nil {
		return "", err
	}
	_, answer, err := kept(ctx, d.client, look, k)
	if err != nil {
		return nothing(err), nil
	}
	return d.edit(ctx, look, func(text []byte) ([]byte, error) { return drift.AddKeep(text, k) }, keepMessage(k), answer, ThenSync)
}

// keepAnew builds our branch anew, so that the files are on it as they are on the
// default branch.
func (d *ordered) keepAnew(ctx context.Context, m mine, k drift.Keep) (string, error) {
	text, answer, err := kept(ctx, d.client, m.look, k)
	if err != nil {
		return nothing(err), nil
	}
	repo := newSnapshot(ctx, d.client, m.look, ownFiles)
	file := &tree.File{Kind: tree.Regular, Data: text}
	repo.put(drift.MemberName, file)
	st, err := reconcile.Load(repo)
	if err != nil {
		return "", err
	}
	p, err := d.syncer(d.at).Plan(ctx, repo, st, m.goldenPath, "")
	if err != nil {
		return "", err
	}
	writes, err := p.Writes()
	if err != nil {
		return "", err
	}
	if _, has := writes[drift.MemberName]; !has {
		writes[drift.MemberName] = file
	}
	commit := Commit{Parent: m.look.Head.Commit, Tree: m.look.Head.Tree, Changes: writes, Message: keepMessage(k)}
	// Not remembered as pushed: a rebuild from the default branch would lose the entry.
	if err := d.push(ctx, commit, Move{Branch: m.Head, From: m.look.Branch.Commit}, Step{Answer: answer, Then: ThenSync}); err != nil {
		return "", err
	}
	return d.follow(ctx)
}

// kept returns the file in a look with the entry, and what to say of that. A path that
// no golden path has is a mistake.
func kept(ctx context.Context, c Client, look Look, k drift.Keep) (text []byte, answer string, err error) {
	st, err := reconcile.Load(newSnapshot(ctx, c, look, ownFiles))
	if err != nil {
		return nil, "", err
	}
	if !anyFile(st.Lock, k.Path) {
		return nil, "", fmt.Errorf("no file that a golden path has here matches %s", k.Path)
	}
	if text, err = drift.AddKeep(st.MemberFile, k); err != nil {
		return nil, "", err
	}
	answer = fmt.Sprintf("%s stays as it is", code(k.Path))
	if k.Until != "" {
		answer += " until " + k.Until
	}
	return text, answer + "; " + code(drift.MemberName) + " says so.", nil
}

func anyFile(lock *drift.Lock, glob string) bool {
	for _, section := range lock.GoldenPaths {
		for path := range section.Files {
			if ok, _ := doublestar.Match(glob, path); ok {
				return true
			}
		}
	}
	return false
}

// which returns the golden path that an order is about: that of the pull request it
// was given on, or the only one. Otherwise it returns what to say.
func (d *ordered) which(ctx context.Context) (look Look, st *reconcile.State, name, wrong string, err error) {
	m, ok, err := d.mine(ctx)
	if err != nil {
		return look, nil, "", "", err
	}
	if look = m.look; !ok {
		if look, err = d.client.Look(ctx, Ask{Contents: ownFiles}); err != nil {
			return look, nil, "", "", err
		}
	}
	if st, err = reconcile.Load(newSnapshot(ctx, d.client, look, ownFiles)); err != nil {
		return look, nil, "", nothing(err), nil
	}
	names, _ := st.Names("")
	switch {
	case ok && slices.Contains(names, m.goldenPath):
		return look, st, m.goldenPath, "", nil
	case len(names) == 1:
		return look, st, names[0], "", nil
	}
	return look, st, "", "Say it on a pull request of syncer's: this repository follows several golden paths, " + code(strings.Join(names, ", ")) + ".", nil
}

// pin writes a pin into .goldenpath.yaml on the default branch, which ends the pull
// request about what is newer.
func (d *ordered) pin(ctx context.Context, words []string) (string, error) {
	version := ""
	if len(words) > 0 && strings.ToLower(words[0]) != "until" {
		version, words = words[0], words[1:]
	}
	day, rest, wrong := d.until(words)
	if wrong == nil && len(rest) > 0 {
		wrong = errors.New("write it as /syncer pin [VERSION] [until YYYY-MM-DD]")
	}
	if wrong != nil {
		return nothing(wrong), nil
	}
	look, st, name, answer, err := d.which(ctx)
	if answer != "" || err != nil {
		return answer, err
	}
	version, err = d.pinnable(ctx, st, name, version)
	if passes(err) {
		return "", err
	}
	if err != nil {
		return nothing(err), nil
	}
	answer = fmt.Sprintf("%s stays at %s", name, code(version))
	if day != "" {
		answer += " until " + day
	}
	set := func(text []byte) ([]byte, error) { return drift.SetPin(text, name, version, day) }
	return d.edit(ctx, look, set, fmt.Sprintf("Pin %s to %s\n", name, version), answer+"; `/syncer unpin` ends that.", ThenSync)
}

// pinnable returns how a version is to be written: the one that is asked for, or that
// the repository has, by its name where that still means the same, else by its commit.
func (d *ordered) pinnable(ctx context.Context, st *reconcile.State, name, version string) (string, error) {
	follow, _ := st.Member.Follows(name)
	s := d.syncer(d.at)
	if version != "" {
		_, err := s.GoldenPath(ctx, follow.Source, name, version)
		return version, err
	}
	section := st.Lock.GoldenPaths[name]
	if section == nil {
		return "", fmt.Errorf("this repository has no version of %s yet", name)
	}
	if section.Version != "" {
		g, err := s.GoldenPath(ctx, follow.Source, name, section.Version)
		if passes(err) {
			return "", err
		}
		if err == nil && g.Digest == section.Digest {
			return section.Version, nil
		}
	}
	if section.Commit == "" {
		return "", fmt.Errorf("the version of %s that is here has no name; say which one: /syncer pin VERSION", name)
	}
	_, err := s.GoldenPath(ctx, follow.Source, name, section.Commit)
	return section.Commit, err
}

// unpin takes the pin out of .goldenpath.yaml.
func (d *ordered) unpin(ctx context.Context) (string, error) {
	look, st, name, answer, err := d.which(ctx)
	if answer != "" || err != nil {
		return answer, err
	}
	if follow, _ := st.Member.Follows(name); follow.Pin == "" {
		return name + " is not pinned.", nil
	}
	unset := func(text []byte) ([]byte, error) { return drift.SetPin(text, name, "", "") }
	return d.edit(ctx, look, unset, fmt.Sprintf("Unpin %s\n", name), name+" is not pinned any more.", ThenSync)
}
