package gitrepo

// Revision is a golden path at a version.
type Revision struct {
	Version string // "1.4.0", from a tag; "" where no tag names it
	Commit  string // "" is the files as they lie on disk
}

// HasHistory reports whether the platform has commits to read from. A plain folder
// and golden paths that ship with the binary have none.
func (p *Platform) HasHistory() bool { return p.repo != nil }

// Versions returns the versions of a golden path, the newest first, each with the
// commit that its tag leads to.
func (p *Platform) Versions(goldenPath string) ([]Revision, error) {
	if p.repo == nil {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	tags, err := p.tags(goldenPath)
	if err != nil {
		return nil, err
	}
	revisions := make([]Revision, len(tags))
	for i, t := range tags {
		revisions[i] = Revision{t.version.String(), t.commit.String()}
	}
	return revisions, nil
}
