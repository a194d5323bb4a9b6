package tokens

// A Request is what an app says at each launch: this user, on this device, can
// be reached by this token. The zero value is invalid.
type Request struct {
	Key       Key
	Token     Token
	Platform  Platform
	ProjectID ProjectID // optional; "" clears what an earlier request said
}

// Validate returns nil, or an [*InvalidError] that names every bad field at
// once, each with the first rule that it breaks.
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
