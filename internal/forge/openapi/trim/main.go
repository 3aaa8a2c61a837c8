// Command trim writes the part of GitHub's OpenAPI description that the hub in
// package localhub answers: its operations with what they refer to, without
// descriptions and examples, compressed.
//
//	go run ./trim [-version 23.0.2] [-out github.json.gz]
//	go run ./trim -examples 7.6.1 -out ../localhub/testdata/webhooks.json.gz
//
// The second form writes one example payload for every event and action that the hub
// sends, from @octokit/webhooks-examples. Both fetch with npm, which has to be
// installed.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
)

func main() {
	version := flag.String("version", "23.0.2", "version of @octokit/openapi")
	examples := flag.String("examples", "", "version of @octokit/webhooks-examples, to write examples instead")
	out := flag.String("out", "github.json.gz", "file to write")
	flag.Parse()
	work := func() error { return description(*version, *out) }
	if *examples != "" {
		work = func() error { return payloads(*examples, *out) }
	}
	if err := work(); err != nil {
		log.Fatal(err)
	}
}

// fetch returns one file of an npm package.
func fetch(spec, file string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "trim-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("npm", "pack", "--silent", spec)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	name, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", spec, err)
	}
	return member(filepath.Join(dir, strings.TrimSpace(string(name))), file)
}

// events are those that the hub sends.
var events = []string{
	"check_run", "check_suite", "commit_comment", "create", "delete", "deployment_status", "installation", "installation_repositories", "issue_comment",
	"issues", "label", "merge_group", "ping", "pull_request", "pull_request_review", "pull_request_review_comment", "push", "repository", "workflow_run",
}

// payloads writes the first example of every event and action.
func payloads(version, out string) error {
	text, err := fetch("@octokit/webhooks-examples@"+version, "package/api.github.com/index.json")
	if err != nil {
		return err
	}
	var whole []struct {
		Name     string           `json:"name"`
		Examples []map[string]any `json:"examples"`
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return err
	}
	kept := map[string]map[string]any{}
	for _, e := range whole {
		for _, example := range e.Examples {
			name := e.Name
			if action, is := example["action"].(string); is {
				name += "." + action
			}
			if slices.Contains(events, e.Name) && kept[name] == nil {
				kept[name] = example
			}
		}
	}
	return write(out, kept)
}

func description(version, out string) error {
	text, err := fetch("@octokit/openapi@"+version, "package/generated/api.github.com.json")
	if err != nil {
		return err
	}
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		return err
	}
	trimmed, missing := trim(whole, localhub.Routes())
	for _, route := range missing {
		log.Printf("not in the description: %s", route)
	}
	return write(out, trimmed)
}

// member reads one file of a .tgz.
func member(archive, name string) ([]byte, error) {
	file, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s has no %s", archive, name)
		}
		if err != nil {
			return nil, err
		}
		if header.Name == name {
			return io.ReadAll(files)
		}
	}
}

// write compresses without a time, so that the same description gives the same file.
func write(out string, trimmed any) error {
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(zip).Encode(trimmed); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return os.WriteFile(out, packed.Bytes(), 0o644) //nolint:gosec // it is committed, all may read it
}

// trim keeps the routes and what they refer to, and names routes that are not there.
func trim(whole map[string]any, routes []string) (map[string]any, []string) {
	paths, _ := whole["paths"].(map[string]any)
	components, _ := whole["components"].(map[string]any)
	keptPaths := map[string]any{}
	var missing []string
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		item, _ := paths[path].(map[string]any)
		operation, there := item[strings.ToLower(method)].(map[string]any)
		if !there {
			missing = append(missing, route)
			continue
		}
		kept, _ := keptPaths[path].(map[string]any)
		if kept == nil {
			kept = map[string]any{}
			keptPaths[path] = kept
		}
		kept[strings.ToLower(method)] = described(bare(successes(operation)))
	}
	kept := map[string]any{}
	collect(keptPaths, components, kept)
	return map[string]any{
		"openapi": whole["openapi"], "info": whole["info"], "paths": keptPaths, "components": kept,
	}, missing
}

// successes drops the answers that are errors and all that is not JSON.
func successes(operation map[string]any) map[string]any {
	responses, _ := operation["responses"].(map[string]any)
	for status := range responses {
		if !strings.HasPrefix(status, "2") {
			delete(responses, status)
		}
	}
	return operation
}

// dropped are keys that say nothing about what is valid.
var dropped = []string{"description", "summary", "example", "examples", "x-github", "tags", "title", "x-github-breaking-changes", "x-githubCloudOnly", "x-octokit", "deprecated"}

// bare copies a value without dropped keys. Inside "properties" keys are names.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			if slices.Contains(dropped, name) {
				continue
			}
			properties, isMap := value.(map[string]any)
			if name != "properties" || !isMap {
				out[name] = bare(value)
				continue
			}
			kept := map[string]any{}
			for field, schema := range properties {
				kept[field] = bare(schema)
			}
			out[name] = kept
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = bare(value)
		}
		return out
	}
	return v
}

// collect copies every component that v refers to, and what those refer to.
func collect(v any, components, kept map[string]any) {
	switch v := v.(type) {
	case []any:
		for _, value := range v {
			collect(value, components, kept)
		}
	case map[string]any:
		if ref, is := v["$ref"].(string); is {
			keep(ref, components, kept)
		}
		for _, value := range v {
			collect(value, components, kept)
		}
	}
}

func keep(ref string, components, kept map[string]any) {
	kind, name, found := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
	group, _ := components[kind].(map[string]any)
	value, there := group[name]
	if !found || !there || kind == "examples" {
		return
	}
	into, _ := kept[kind].(map[string]any)
	if into == nil {
		into = map[string]any{}
		kept[kind] = into
	}
	if _, done := into[name]; done {
		return
	}
	into[name] = bare(value)
	if kind == "responses" {
		describe(into[name])
	}
	collect(into[name], components, kept)
}

// described gives every answer of an operation its description.
func described(operation any) any {
	if o, is := operation.(map[string]any); is {
		responses, _ := o["responses"].(map[string]any)
		for _, response := range responses {
			describe(response)
		}
	}
	return operation
}

// describe gives a response the one key that OpenAPI demands of it.
func describe(v any) {
	if response, is := v.(map[string]any); is && response["$ref"] == nil {
		response["description"] = ""
	}
}
