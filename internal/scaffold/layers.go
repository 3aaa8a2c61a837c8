package scaffold

// Layers returns the names of what a golden path is made of: what it includes, in the
// order of rendering, and itself at the end.
func (g *GoldenPath) Layers() []string {
	names := make([]string, len(g.layers))
	for i, m := range g.layers {
		names[i] = m.Name
	}
	return names
}
