package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A group is code that is measured together.
type group struct {
	name  string
	files []string // patterns, from the root of the repository
	tests []string // the packages whose tests may notice, asked in this order
	skip  string   // a pattern of tests that do not run here
}

// The groups leave out package storetest, which is a test: its own tests hold it
// to rejecting broken stores. Of package dynamostore they have the files that
// its tests without an engine are about; what is left talks to DynamoDB, and
// package ablation and the tests on DynamoDB Local are what tries that.
var groups = []group{
	{name: "tokens", files: []string{"tokens/*.go", "internal/spelling/*.go"}, tests: []string{"internal/spelling", "tokens"}},
	{name: "store", files: []string{"store/*.go"}, tests: []string{"store", "memstore"}},
	{name: "memstore", files: []string{"memstore/*.go"}, tests: []string{"memstore"}},
	{name: "httpapi", files: []string{"httpapi/*.go", "internal/jsontext/*.go"}, tests: []string{"httpapi"}},
	{
		name: "dynamostore", tests: []string{"dynamostore"}, skip: "^TestCosts$",
		files: []string{
			"dynamostore/attributes.go", "dynamostore/claim.go", "dynamostore/errors.go",
			"dynamostore/expressions.go", "dynamostore/retry.go", "dynamostore/row.go",
		},
	},
}

// mutants returns all of the group, of the tree in that folder.
func (g group) mutants(tree string) ([]mutant, error) {
	var all []mutant
	for _, pattern := range g.files {
		names, err := filepath.Glob(filepath.Join(tree, pattern))
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("there is no file %s", pattern)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			file, err := filepath.Rel(tree, name)
			if err != nil {
				return nil, err
			}
			found, err := mutants(file, source)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}
