package localhub

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/go-git/go-git/v5/plumbing"
)

// violation is why a reference may not move.
type violation struct {
	workflow string   // a workflow file that the App may not touch
	rules    []string // messages of rules
}

// breaches is why a reference may not move, or nil. Merging a pull request is the one
// way round the rule that asks for pull requests; its own demands are checked apart.
func (h *Hub) breaches(r *repository, m refMove, merging bool) (*violation, error) {
	var files []fileChange
	if m.to = r.store.peel(m.to); r.store.kind(m.to) == "commit" {
		var err error
		if files, err = r.store.between(h.startOf(r, m), m.to); err != nil {
			return nil, err
		}
	}
	if f := workflowTouched(files); f != "" && !m.by.may(r, need{"workflows", "write"}) {
		return &violation{workflow: f}, nil
	}
	var broken []string
	rules := append(r.rulesFor(m.name, m.by), r.protectionRules(m.name, m.by)...)
	for _, one := range rules {
		message, err := h.broken(r, one, m, merging, files)
		if err != nil {
			return nil, err
		}
		if message != "" && !slices.Contains(broken, message) {
			broken = append(broken, message)
		}
	}
	if broken != nil {
		return &violation{rules: broken}, nil
	}
	return nil, nil
}

// startOf is what a move is compared with: the reference's old value, or for a new
// branch the default branch, of which it is made.
func (h *Hub) startOf(r *repository, m refMove) plumbing.Hash {
	if !m.from.IsZero() {
		return m.from
	}
	head, _ := r.store.branch(r.defaultBranch)
	if head.IsZero() {
		return head
	}
	base, err := r.store.mergeBase(head, m.to)
	if err != nil {
		return plumbing.ZeroHash
	}
	return base
}

// workflowTouched is a file below .github/workflows that differs, or "".
func workflowTouched(files []fileChange) string {
	for _, f := range files {
		if isWorkflow(f.path) {
			return f.path
		}
	}
	return ""
}

func isWorkflow(p string) bool { return strings.HasPrefix(p, ".github/workflows/") }

// broken is the message of a rule that a move breaks, or "".
func (h *Hub) broken(r *repository, one Rule, m refMove, merging bool, files []fileChange) (string, error) {
	creation, deletion := m.from.IsZero(), m.to.IsZero()
	update := !creation && !deletion
	if message, done := brokenFiles(r, one, files); done {
		return message, nil
	}
	switch one.Type {
	case "creation":
		return when(creation, "Cannot create ref due to creations being restricted."), nil
	case "deletion":
		return when(deletion, "Cannot delete this branch"), nil
	case "update":
		return when(update && !merging, "Cannot update this protected ref."), nil
	case "non_fast_forward":
		return when(update && m.forced, "Cannot force-push to this branch"), nil
	case "pull_request":
		return when(update && !merging, "Changes must be made through a pull request."), nil
	case "merge_queue":
		return when(update && !merging, throughQueue), nil
	case "branch_name_pattern":
		name := strings.TrimPrefix(m.name, "refs/heads/")
		return when(creation && !one.matches(name), "Branch name must match pattern: "+one.text("pattern")), nil
	case "required_status_checks":
		if !update || merging {
			return "", nil
		}
		return r.missingChecks(one, m.to), nil
	}
	if deletion {
		return "", nil
	}
	return h.brokenCommits(r, one, m)
}

func when(yes bool, message string) string {
	if yes {
		return message
	}
	return ""
}

// brokenCommits judges the rules about every new commit.
func (h *Hub) brokenCommits(r *repository, one Rule, m refMove) (string, error) {
	if !slices.Contains([]string{"required_signatures", "required_linear_history", "commit_message_pattern", "commit_author_email_pattern"}, one.Type) {
		return "", nil
	}
	const most = 1000
	ids, _, err := r.store.commitsBetween(h.startOf(r, m), m.to, most)
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		c, err := r.store.commit(id)
		if err != nil {
			return "", err
		}
		switch {
		case one.Type == "required_signatures" && !h.signer.verified(c):
			return "Commits must have verified signatures.", nil
		case one.Type == "required_linear_history" && len(c.ParentHashes) > 1:
			return "This branch must not contain merge commits.", nil
		case one.Type == "commit_message_pattern" && !one.matches(c.Message):
			return "Commit message must match pattern: " + one.text("pattern"), nil
		case one.Type == "commit_author_email_pattern" && !one.matches(c.Author.Email):
			return "Author email must match pattern: " + one.text("pattern"), nil
		}
	}
	return "", nil
}

// brokenFiles judges the rules about changed files; done tells that it was one.
func brokenFiles(r *repository, one Rule, files []fileChange) (message string, done bool) {
	switch one.Type {
	case "file_path_restriction", "file_extension_restriction", "max_file_path_length", "max_file_size":
	default:
		return "", false
	}
	for _, f := range files {
		if f.to.Hash.IsZero() {
			continue
		}
		if message := one.brokenPath(f.path); message != "" {
			return message, true
		}
		if limit := one.number("max_file_size"); one.Type == "max_file_size" && r.store.blobSize(f.to.Hash) > int64(limit)<<20 {
			return fmt.Sprintf("File %s exceeds the maximum allowed size of %d MB", f.path, limit), true
		}
	}
	return "", true
}

// brokenPath is why a path may not be changed, or "".
func (o Rule) brokenPath(file string) string {
	switch o.Type {
	case "file_path_restriction":
		for _, pattern := range o.list("restricted_file_paths") {
			if same, err := doublestar.Match(pattern, file); err == nil && same {
				return "File path " + file + " is restricted"
			}
		}
	case "file_extension_restriction":
		for _, extension := range o.list("restricted_file_extensions") {
			if strings.TrimPrefix(path.Ext(file), ".") == strings.TrimLeft(extension, "*.") {
				return "File extension of " + file + " is restricted"
			}
		}
	case "max_file_path_length":
		return when(len(file) > o.number("max_file_path_length"), "File path "+file+" is too long")
	}
	return ""
}

// matches judges a pattern rule.
func (o Rule) matches(text string) bool {
	pattern, is := o.text("pattern"), false
	switch o.text("operator") {
	case "starts_with":
		is = strings.HasPrefix(text, pattern)
	case "ends_with":
		is = strings.HasSuffix(text, pattern)
	case "contains":
		is = strings.Contains(text, pattern)
	case "regex":
		expression, err := regexp.Compile(pattern)
		is = err == nil && expression.MatchString(text)
	}
	return is != o.flag("negate")
}

// missingChecks names the first required status check that has not succeeded on a
// commit.
func (r *repository) missingChecks(one Rule, head plumbing.Hash) string {
	for _, name := range one.contexts() {
		if r.checkState(name, head.String()) != "success" {
			return fmt.Sprintf("Required status check %q is expected.", name)
		}
	}
	return ""
}

// answer is a violation as REST tells it.
func (v *violation) answer() answer {
	if v.workflow != "" {
		return inaccessible()
	}
	return unprocessable("Repository rule violations found\n\n" + strings.Join(v.rules, "\n\n") + "\n\n")
}
