// Package goldenpaths holds the golden paths that ship with syncer.
//
// Each is a folder: goldenpath.yaml says what it is called, what it asks for and
// how its files are kept; template/ has the files; partials/ has the texts that
// several of them share; tests/ has fixtures, each the inputs and what they must
// render to. common is a layer that the others include: what every repository
// has, whatever it is written in.
//
// The files are templates rather than code, and stand inside a Go module: a
// template's *.go, go.mod and go.sum end in .tmpl, because a folder with a
// go.mod of its own cannot be embedded and a stray main.go is built. The same
// ending keeps a template's .gitignore and .gitattributes from acting on this
// repository.
package goldenpaths

import (
	"embed"
	"io/fs"
)

//go:embed all:common all:go-service
var files embed.FS

// Files returns the golden paths as they were when the program was built: one
// folder each, such as common/goldenpath.yaml. The file system is read-only and
// has no executable files, which embedding does not keep.
func Files() fs.FS { return files }
