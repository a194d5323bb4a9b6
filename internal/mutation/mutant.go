package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// A mutant is a source file with one change.
type mutant struct {
	File     string // from the root of the repository
	Func     string // that it is in; "" outside of any
	Line     int
	Code     string // the line, without the space around it
	Mutation string // what was done to it, "< to <="; a second one of the same kind on the line ends in " (2)"

	start, end int // what is replaced, in bytes
	text       string
}

// apply returns the source with the change.
func (m mutant) apply(source []byte) []byte {
	return slices.Concat(source[:m.start], []byte(m.text), source[m.end:])
}

// operators are what each operator is replaced by. One that does not suit its
// operands does not compile, and is no mutant then.
var operators = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.GEQ, token.LEQ}, token.GEQ: {token.LSS, token.GTR},
	token.GTR: {token.LEQ, token.GEQ}, token.LEQ: {token.GTR, token.LSS},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD},
	token.MUL: {token.QUO}, token.QUO: {token.MUL}, token.REM: {token.MUL},
	token.AND: {token.OR}, token.OR: {token.AND}, token.XOR: {token.AND}, token.AND_NOT: {token.AND},
	token.SHL: {token.SHR}, token.SHR: {token.SHL},
	token.INC: {token.DEC}, token.DEC: {token.INC},
	token.ADD_ASSIGN: {token.SUB_ASSIGN}, token.SUB_ASSIGN: {token.ADD_ASSIGN},
	token.BREAK: {token.CONTINUE}, token.CONTINUE: {token.BREAK},
}

// mutants returns those of a file, in the order of its text.
func mutants(file string, source []byte) ([]mutant, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(source), "\n")
	var all []mutant
	var function string
	change := func(from, to token.Pos, mutation, text string) {
		line := fset.Position(from).Line
		all = append(all, mutant{
			File: file, Func: function, Line: line, Code: strings.TrimSpace(lines[line-1]), Mutation: mutation,
			start: fset.Position(from).Offset, end: fset.Position(to).Offset, text: text,
		})
	}
	operator := func(at token.Pos, op token.Token) {
		for _, other := range operators[op] {
			change(at, at+token.Pos(len(op.String())), fmt.Sprintf("%s to %s", op, other), other.String())
		}
	}
	never := func(condition ast.Expr) {
		if condition != nil {
			change(condition.Pos(), condition.Pos(), "never", "false && ")
			all[len(all)-1].wrap(source, fset.Position(condition.End()).Offset)
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			function = n.Name.Name
		case *ast.GenDecl:
			if n.Tok == token.IMPORT {
				return false
			}
			if slices.Contains(tree.Decls, ast.Decl(n)) {
				function = ""
			}
		case *ast.BinaryExpr:
			operator(n.OpPos, n.Op)
		case *ast.IncDecStmt:
			operator(n.TokPos, n.Tok)
			change(n.Pos(), n.End(), "removed", "")
		case *ast.AssignStmt:
			operator(n.TokPos, n.Tok)
			if n.Tok != token.DEFINE {
				change(n.Pos(), n.End(), "removed", "")
			}
		case *ast.BranchStmt:
			if n.Label == nil {
				operator(n.TokPos, n.Tok)
			}
		case *ast.ExprStmt:
			change(n.Pos(), n.End(), "removed", "")
		case *ast.DeferStmt:
			change(n.Pos(), n.End(), "removed", "")
		case *ast.UnaryExpr:
			if n.Op == token.NOT || n.Op == token.SUB {
				change(n.OpPos, n.X.Pos(), n.Op.String()+" removed", "")
			}
		case *ast.IfStmt:
			never(n.Cond)
		case *ast.BasicLit:
			if value, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
				change(n.Pos(), n.End(), n.Value+" plus 1", strconv.FormatInt(value+1, 10))
			}
		case *ast.Ident:
			switch n.Name {
			case "true":
				change(n.Pos(), n.End(), "true to false", "false")
			case "false":
				change(n.Pos(), n.End(), "false to true", "true")
			}
		}
		return true
	})
	slices.SortStableFunc(all, func(a, b mutant) int { return a.start - b.start })
	number(all)
	return all, nil
}

// wrap makes the change to a condition, which ends there, hold for the whole of
// it.
func (m *mutant) wrap(source []byte, end int) {
	m.text += "(" + string(source[m.start:end]) + ")"
	m.end = end
}

// number tells apart the mutants of one kind on one line.
func number(all []mutant) {
	type place struct {
		line     int
		mutation string
	}
	seen := map[place]int{}
	for i, m := range all {
		p := place{m.Line, m.Mutation}
		if seen[p]++; seen[p] > 1 {
			all[i].Mutation += fmt.Sprintf(" (%d)", seen[p])
		}
	}
}
