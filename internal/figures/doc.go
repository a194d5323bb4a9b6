// Package figures keeps what the documents state in step with what was measured.
//
// A command that measures writes its result, a few tables of finished cells, to
// docs/results/NAME.json. A document shows a table between two marks,
//
//	<!-- figures NAME/TABLE -->
//	<!-- figures end -->
//
// and [Embed] writes it there: `make figures` does so for every document, and a
// test fails when a document shows something else than the last recorded result.
package figures
