// Package schema publishes the JSON Schemas of the files that people write, so
// that editors can complete them and syncer can check them by the same text.
package schema

import _ "embed"

// GoldenPath is the JSON Schema (2020-12) of goldenpath.yaml.
//
//go:embed goldenpath.schema.json
var GoldenPath []byte

// Member is the JSON Schema (2020-12) of .goldenpath.yaml.
//
//go:embed member.schema.json
var Member []byte
