package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A judgement says why a mutant may survive. It finds the mutant by its function
// and the text of its line, so that it holds while lines move, and is void once the
// line changes.
type judgement struct {
	File     string `json:"file"`
	Func     string `json:"func"`
	Code     string `json:"code"`
	Mutation string `json:"mutation"`
	Verdict  string `json:"verdict"` // equivalent, or accepted: it could be noticed, but not at a price worth paying
	Why      string `json:"why"`
}

const judgementsFile = "internal/mutation/survivors.json"

func readJudgements(root string) ([]judgement, error) {
	text, err := os.ReadFile(filepath.Join(root, judgementsFile))
	if err != nil {
		return nil, err
	}
	var all []judgement
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", judgementsFile, err)
	}
	for _, j := range all {
		if j.Verdict != "equivalent" && j.Verdict != "accepted" || strings.TrimSpace(j.Why) == "" {
			return nil, fmt.Errorf("%s: %s of %q has no verdict, or no reason", judgementsFile, j.Mutation, j.Code)
		}
	}
	return all, nil
}

// of reports whether the judgement is of the mutant.
func (j judgement) of(m mutant) bool {
	return j.File == m.File && j.Func == m.Func && j.Code == m.Code && j.Mutation == m.Mutation
}

// judge finds the judgement of each mutant that was not killed. It returns those
// without one, and of the judgements those whose mutant was killed or is gone.
func judge(judgements []judgement, all, alive []mutant) (of map[int]judgement, unjudged []mutant, stale []judgement) {
	of = map[int]judgement{}
	used := make([]bool, len(judgements))
	for i, m := range alive {
		for k, j := range judgements {
			if j.of(m) {
				of[i], used[k] = j, true
			}
		}
		if _, ok := of[i]; !ok {
			unjudged = append(unjudged, m)
		}
	}
	for k, j := range judgements {
		if !used[k] && inGroup(j, all) {
			stale = append(stale, j)
		}
	}
	return of, unjudged, stale
}

// inGroup reports whether the judgement is of a file that was measured.
func inGroup(j judgement, all []mutant) bool {
	for _, m := range all {
		if m.File == j.File {
			return true
		}
	}
	return false
}
