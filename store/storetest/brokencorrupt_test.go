package storetest

var brokenCorrupt = []broken{
	{"Get hides what cannot be decoded", []string{"Corrupt/Get"}},
	{"Get names the key of what cannot be decoded", []string{"Corrupt/Get"}},
	{"List fails on what cannot be decoded", []string{"Corrupt/List"}},
	{"Register fails on what cannot be decoded", []string{"Corrupt/Register"}},
	{"Register refreshes what cannot be decoded", []string{"Corrupt/Register"}},
	{"Deactivate fails on what cannot be decoded", []string{"Corrupt/Deactivate"}},
	{"Delete leaves what cannot be decoded", []string{"Corrupt/Delete"}},
	{"DeleteUser leaves what cannot be decoded", []string{"Corrupt/DeleteUser"}},
}
