package merge

import (
	"path"
	"strings"
)

// Care says whose a file is once both sides have changed it.
type Care int

// The kinds of care.
const (
	// ByKind is the default: what [CareOf] says.
	ByKind Care = iota
	// Joined files are merged.
	Joined
	// Members files are the member's, such as a changelog: what the golden path
	// changes where the member has changed the same lines too is not for this
	// repository.
	Members
	// Tools files are written by a program, such as a lock file. Lines of two
	// versions put together are a file that no program wrote: they are never merged.
	Tools
)

// CareOf returns the care that a file's name asks for, and for a tool's file the
// command that writes it.
func CareOf(p string) (care Care, command string) {
	name := strings.ToLower(path.Base(p))
	if command, ok := lockFiles[name]; ok {
		return Tools, command
	}
	stem := strings.TrimSuffix(name, path.Ext(name))
	switch stem {
	case "changelog", "changes", "history", "news", "releases", "release-notes", "release_notes", "codemeta", "authors", "contributors":
		return Members, ""
	}
	switch path.Ext(name) {
	case ".csv", ".tsv", ".ipynb", ".bib", ".sql":
		return Members, ""
	}
	return Joined, ""
}

// lockFiles are the files that package managers write, and how to have them
// written.
var lockFiles = map[string]string{
	"package-lock.json":   "npm install --package-lock-only",
	"npm-shrinkwrap.json": "npm shrinkwrap",
	"yarn.lock":           "yarn install --mode update-lockfile",
	"pnpm-lock.yaml":      "pnpm install --lockfile-only",
	"bun.lock":            "bun install --lockfile-only",
	"deno.lock":           "deno install",
	"go.sum":              "go mod tidy",
	"go.work.sum":         "go work sync",
	"cargo.lock":          "cargo update --workspace",
	"poetry.lock":         "poetry lock",
	"pdm.lock":            "pdm lock",
	"uv.lock":             "uv lock",
	"pipfile.lock":        "pipenv lock",
	"pixi.lock":           "pixi lock",
	"conda-lock.yml":      "conda-lock",
	"gemfile.lock":        "bundle lock",
	"composer.lock":       "composer update --lock",
	"mix.lock":            "mix deps.get",
	"pubspec.lock":        "dart pub get",
	"podfile.lock":        "pod install",
	"packages.lock.json":  "dotnet restore --force-evaluate",
	"gradle.lockfile":     "gradle dependencies --write-locks",
	"flake.lock":          "nix flake lock",
	".terraform.lock.hcl": "terraform providers lock",
	"chart.lock":          "helm dependency update",
	"module.bazel.lock":   "bazel mod deps",
}

// MemberFile is the name of the resolver that keeps what is the member's.
const MemberFile = "member-file"

// members keeps ours in a file that is the member's.
func members(h *hunk, options *Options) (verdict, bool) {
	care := options.Care
	if care == ByKind {
		care = h.file.care
	}
	if care != Members {
		return verdict{}, false
	}
	return h.says(string(h.Ours), "files of this kind are the member's: yours stays where both changed the same lines")
}
