// Command kubeschemas turns Kubernetes' own OpenAPI description and CRDs into
// the JSON Schemas that kubeconform reads, strict: unknown fields are mistakes.
//
//	kubeschemas DIR swagger.json [crd.yaml...]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

type object = map[string]any

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, swagger string, crds []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var doc struct{ Definitions map[string]object }
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	for name, def := range doc.Definitions {
		strict(def)
		// Numbers are quantities too, and a port is a number or a name.
		if strings.HasSuffix(name, "api.resource.Quantity") || strings.HasSuffix(name, "util.intstr.IntOrString") {
			def["type"] = []any{"string", "number"}
			delete(def, "format")
		}
	}
	if err := write(dir, "_definitions.json", object{"definitions": doc.Definitions}); err != nil {
		return err
	}
	for name, def := range doc.Definitions {
		kinds, _ := def["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 { // DeleteOptions and the like belong to every group
			continue
		}
		k := kinds[0].(object)
		file := fileName(k["kind"].(string), k["group"].(string), k["version"].(string))
		if err := write(dir, file, object{"$ref": "_definitions.json#/definitions/" + name}); err != nil {
			return err
		}
	}
	for _, crd := range crds {
		if err := addCRD(dir, crd); err != nil {
			return fmt.Errorf("%s: %w", crd, err)
		}
	}
	return nil
}

func addCRD(dir, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var crd struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPIV3Schema object `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return err
	}
	for _, v := range crd.Spec.Versions {
		s := v.Schema.OpenAPIV3Schema
		strict(s)
		// In a CRD metadata is only {type: object}: it is the API server's to check.
		if meta, ok := s["properties"].(object)["metadata"].(object); ok {
			delete(meta, "additionalProperties")
		}
		if err := write(dir, fileName(crd.Spec.Names.Kind, crd.Spec.Group, v.Name), s); err != nil {
			return err
		}
	}
	return nil
}

// fileName is {{ .ResourceKind }}{{ .KindSuffix }} of kubeconform.
func fileName(kind, group, version string) string {
	name := strings.ToLower(kind)
	if group != "" {
		first, _, _ := strings.Cut(group, ".")
		name += "-" + strings.ToLower(first)
	}
	return name + "-" + strings.ToLower(version) + ".json"
}

// strict forbids unknown properties wherever properties are listed, and lets
// int-or-string be either.
func strict(v any) {
	switch v := v.(type) {
	case object:
		if ref, ok := v["$ref"].(string); ok {
			v["$ref"] = strings.Replace(ref, "#/definitions/", "_definitions.json#/definitions/", 1)
		}
		if v["x-kubernetes-int-or-string"] == true {
			delete(v, "type")
			delete(v, "format")
		}
		if _, ok := v["properties"].(object); ok && v["additionalProperties"] == nil && v["x-kubernetes-preserve-unknown-fields"] != true {
			v["additionalProperties"] = false
		}
		for _, child := range v {
			strict(child)
		}
	case []any:
		for _, child := range v {
			strict(child)
		}
	}
}

func write(dir, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), data, 0o644)
}
