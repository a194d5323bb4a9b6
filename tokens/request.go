package tokens

// A Request registers a token for one device of one user. An app sends one at each
// launch. The zero value is invalid.
type Request struct {
	Key       Key
	Token     Token
	Platform  Platform
	ProjectID ProjectID // optional; "" clears an earlier one
}

// Validate returns nil, or an [*InvalidError] with every invalid field, each with
// the first rule that it breaks.
func (r Request) Validate() error {
	var f faults
	r.Key.check(&f)
	if r.Token.IsZero() {
		f.add(FieldToken, CodeRequired)
	}
	f.add(FieldPlatform, r.Platform.fault())
	f.add(FieldProjectID, r.ProjectID.fault())
	return f.err()
}
