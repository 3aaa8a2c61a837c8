package merge

import (
	"path"
	"strings"
)

// Kind is what a file's name says about how it reads.
type Kind struct {
	// Format is the format's name, "text" where it is not known.
	Format string
	// Indents is true where a line's indentation has a meaning.
	Indents bool
	// Comment begins a comment that ends with the line; "" where there is none.
	Comment string
	// Brackets is true where brackets are balanced in a valid file.
	Brackets bool
}

// KindOf returns the kind of the file at a path of slashes.
func KindOf(p string) Kind {
	name := strings.ToLower(path.Base(p))
	if k, ok := kindsByName[name]; ok {
		return k
	}
	if strings.HasPrefix(name, "dockerfile.") || strings.HasSuffix(name, ".dockerfile") {
		return kindsByName["dockerfile"]
	}
	if ext := path.Ext(name); (ext == ".txt" || ext == ".in") && (strings.HasPrefix(name, "requirements") || strings.HasPrefix(name, "constraints")) {
		return Kind{Format: "requirements", Comment: "#"}
	}
	if strings.HasPrefix(name, ".env.") {
		return kindsByName[".env"]
	}
	if strings.HasPrefix(name, ".") && strings.HasSuffix(name, "ignore") {
		return ignoreKind
	}
	if k, ok := kindsByExt[path.Ext(name)]; ok {
		return k
	}
	return Kind{Format: "text"}
}

var (
	ignoreKind = Kind{Format: "ignore", Comment: "#"}
	yamlKind   = Kind{Format: "yaml", Indents: true, Comment: "#"}
	jsonKind   = Kind{Format: "json", Comment: "//", Brackets: true}
	braceKind  = Kind{Format: "braces", Comment: "//", Brackets: true}
	codeKind   = Kind{Format: "code", Comment: "//", Brackets: true}
	iniKind    = Kind{Format: "ini", Comment: "#"}
	shellKind  = Kind{Format: "text", Comment: "#"}
)

var kindsByName = map[string]Kind{
	"dockerfile":     {Format: "dockerfile", Comment: "#"},
	"containerfile":  {Format: "dockerfile", Comment: "#"},
	"makefile":       {Format: "makefile", Indents: true, Comment: "#"},
	"gnumakefile":    {Format: "makefile", Indents: true, Comment: "#"},
	"codeowners":     {Format: "owners", Comment: "#"},
	".gitattributes": {Format: "owners", Comment: "#"},
	"go.mod":         {Format: "gomod", Comment: "//"},
	".editorconfig":  iniKind,
	".env":           iniKind,
	"jenkinsfile":    codeKind,
	".clang-format":  yamlKind,
	".prettierrc":    yamlKind,
	".yamllint":      yamlKind,
}

var kindsByExt = map[string]Kind{
	".yml": yamlKind, ".yaml": yamlKind,
	".json": jsonKind, ".jsonc": jsonKind, ".json5": jsonKind,
	".toml": {Format: "toml", Comment: "#"},
	".ini":  iniKind, ".cfg": iniKind, ".properties": iniKind, ".conf": iniKind,
	".tf": {Format: "hcl", Comment: "#", Brackets: true}, ".hcl": {Format: "hcl", Comment: "#", Brackets: true},
	".tfvars": {Format: "hcl", Comment: "#", Brackets: true},
	".md":     {Format: "markdown"}, ".markdown": {Format: "markdown"},
	".config": braceKind,
	".nf":     codeKind, ".groovy": codeKind, ".gradle": codeKind, ".kts": codeKind,
	".go": codeKind, ".java": codeKind, ".kt": codeKind, ".js": codeKind, ".ts": codeKind,
	".jsx": codeKind, ".tsx": codeKind, ".c": codeKind, ".h": codeKind, ".cc": codeKind,
	".cpp": codeKind, ".cs": codeKind, ".rs": codeKind, ".swift": codeKind, ".scala": codeKind,
	".css": codeKind, ".scss": codeKind,
	".py": {Format: "code", Indents: true, Comment: "#"},
	".rb": shellKind, ".sh": shellKind, ".bash": shellKind, ".zsh": shellKind, ".r": shellKind, ".pl": shellKind,
	".mk":  {Format: "makefile", Indents: true, Comment: "#"},
	".xml": {Format: "xml"}, ".csproj": {Format: "xml"}, ".pom": {Format: "xml"}, ".props": {Format: "xml"}, ".targets": {Format: "xml"},
	".html": {Format: "text"},
}
