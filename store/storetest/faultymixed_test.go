package storetest

import (
	"strings"

	"github.com/devicetokens/devicetokens/tokens"
)

// attributes are what a read may take from another write than the rest.
var attributes = map[string]func(r *tokens.Registration, later tokens.Registration){
	"token":    func(r *tokens.Registration, later tokens.Registration) { r.Token = later.Token },
	"platform": func(r *tokens.Registration, later tokens.Registration) { r.Platform = later.Platform },
	"project":  func(r *tokens.Registration, later tokens.Registration) { r.ProjectID = later.ProjectID },
	"status":   func(r *tokens.Registration, later tokens.Registration) { r.Status = later.Status },
	"all but the status": func(r *tokens.Registration, later tokens.Registration) {
		later.Status = r.Status
		*r = later
	},
	"updatedAt": func(r *tokens.Registration, later tokens.Registration) { r.UpdatedAt = later.UpdatedAt },
	"expiresAt": func(r *tokens.Registration, later tokens.Registration) { r.ExpiresAt = later.ExpiresAt },
}

// mixed returns the row, with one attribute as a later write may have left it.
func (s *faulty) mixed(method string, r tokens.Registration) tokens.Registration {
	name, about := strings.CutPrefix(s.fault, method+" later reads ")
	if about {
		s.gap()
		if later, stored := s.rows[s.id(r.Key)]; stored {
			attributes[name](&r, later)
		}
	}
	return r
}

func brokenMixed() []broken {
	var all []broken
	for method, check := range map[string]string{
		"Get": "Race/GetWhileReplacing", "List": "Race/ListWhileReplacing", "Holder": "Race/HolderWhileReplacing",
		"Inspect": "Race/InspectWhileReplacing", "Page": "Race/WalkWhileReplacing",
	} {
		for name := range attributes {
			// List omits inactive registrations, so the later change shows.
			if only := name == "status" || name == "all but the status"; only && (method == "List") != (name == "status") {
				continue
			}
			all = append(all, broken{method + " later reads " + name, []string{check}})
		}
	}
	return all
}
