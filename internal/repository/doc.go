// Package repository tests the repository itself: links, code and names in its
// documents, the changelog, and which package may depend on which.
package repository
