// Package repository tests the repository itself: links, code, commands and
// length of its documents, the changelog, and which package may depend on which.
package repository
