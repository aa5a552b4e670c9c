// SPDX-License-Identifier: AGPL-3.0-or-later

package instance

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Within a transaction nothing fetches, waits or begins another one: a reader within a reader and a
// writer that grows the file wait for each other for ever, and what takes long holds up all writers.
// Whatever may take long takes a context, so that a function that is handed a transaction, here and in
// all rooms below, hands a context to nobody. Calls are followed within a package, by name.
func TestNothingIsBegunWithinATransaction(t *testing.T) {
	dirs := map[string][]*ast.File{}
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		dirs[filepath.Dir(path)] = append(dirs[filepath.Dir(path)], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, files := range dirs {
		p := &nesting{set: set, begins: map[string]bool{}}
		found, n := p.check(files)
		checked += n
		for _, problem := range found {
			t.Error(problem)
		}
	}
	if checked < 150 {
		t.Errorf("only %d functions are handed a transaction: does this test look at them?", checked)
	}
}

func TestNestedTransactionsAreFound(t *testing.T) {
	const head = "package p\n"
	for src, want := range map[string]int{
		`func f(b *B) { b.cfg.Store.Read(func(tx *store.Tx) error { b.pass(ctx); return nil }) }`:                                                1,
		`func f(b *B) { b.cfg.Store.Read(func(tx *store.Tx) error { return b.cfg.Store.Write("x", nil) }) }`:                                     1,
		`func f(tx *store.Tx) { g(tx) }; func g(tx *store.Tx) { h() }; func h() { s.store.Read(nil) }`:                                           1,
		`func f(tx *store.Tx) { i() }; func i() { h() }; func h() { s.db.View(nil) }`:                                                            1,
		`func f(ctx context.Context) func(*store.Tx) error { g(ctx); return func(tx *store.Tx) error { return tx.Put() } }`:                      0,
		`func f(b *B) error { v, err := b.known(); return b.store.Write("x", func(tx *store.Tx) error { return tx.Put(v, b.store.Policy()) }) }`: 0,
	} {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, "p.go", head+src, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		p := &nesting{set: set, begins: map[string]bool{}}
		if found, _ := p.check([]*ast.File{f}); len(found) != want {
			t.Errorf("%s: %q", src, found)
		}
	}
}

// nesting looks through one package.
type nesting struct {
	set *token.FileSet
	// begins are the names of functions that begin a transaction, directly or through others, and take
	// no context; those of methods have a dot before them.
	begins map[string]bool
}

// check returns what is wrong, and how many functions are handed a transaction.
func (p *nesting) check(files []*ast.File) (found []string, checked int) {
	for more := true; more; {
		more = false
		for _, f := range files {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if ok && fn.Body != nil && !p.begins[name(fn)] && !handed(fn.Type) && !takes(fn.Type) && p.any(fn.Body) {
					p.begins[name(fn)], more = true, true
				}
			}
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			var kind *ast.FuncType
			var body *ast.BlockStmt
			switch fn := n.(type) {
			case *ast.FuncDecl:
				kind, body = fn.Type, fn.Body
				if name(fn) == afterwards {
					return false
				}
			case *ast.FuncLit:
				kind, body = fn.Type, fn.Body
			}
			if body == nil || !handed(kind) {
				return true
			}
			checked++
			ast.Inspect(body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if ok && (p.opens(call) || slices.ContainsFunc(call.Args, isContext)) {
					found = append(found, fmt.Sprintf("%s: %s within a transaction begins another or takes long", p.set.Position(call.Pos()), last(call.Fun)))
				}
				return true
			})
			return false // what is inside was looked at
		})
	}
	return found, checked
}

// afterwards is handed a transaction that has ended.
const afterwards = ".follow"

func name(fn *ast.FuncDecl) string {
	if fn.Recv != nil {
		return "." + fn.Name.Name
	}
	return fn.Name.Name
}

// takes reports whether a function has a context among its parameters: who calls it is found by that.
func takes(f *ast.FuncType) bool {
	return slices.ContainsFunc(f.Params.List, func(p *ast.Field) bool {
		s, ok := p.Type.(*ast.SelectorExpr)
		return ok && s.Sel.Name == "Context"
	})
}

// any reports whether a body begins a transaction.
func (p *nesting) any(body ast.Node) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		found = found || ok && p.opens(call)
		return !found
	})
	return found
}

// opens reports whether a call begins a transaction.
func (p *nesting) opens(call *ast.CallExpr) bool {
	switch fn := call.Fun.(type) {
	case *ast.Ident:
		return p.begins[fn.Name]
	case *ast.SelectorExpr:
		of := strings.ToLower(last(fn.X))
		switch fn.Sel.Name {
		case "Read", "Write", "Batch":
			return of == "store" || of == "s"
		case "View", "Update", "Begin":
			return of == "db"
		}
		if made, ok := fn.X.(*ast.CallExpr); ok && slices.ContainsFunc(made.Args, func(e ast.Expr) bool { return last(e) == "tx" }) {
			return false // it reads in the same transaction
		}
		return of != "tx" && of != "snap" && p.begins["."+fn.Sel.Name]
	}
	return false
}

// last is the last name of an expression such as b.cfg.Store or s.DB().
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		return last(e.Fun)
	}
	return ""
}

func isContext(e ast.Expr) bool {
	name := last(e)
	return name == "ctx" || name == "Background" || name == "WithoutCancel"
}

// handed reports whether a function has a transaction among its parameters.
func handed(f *ast.FuncType) bool {
	return slices.ContainsFunc(f.Params.List, func(p *ast.Field) bool {
		star, ok := p.Type.(*ast.StarExpr)
		return ok && last(star.X) == "Tx"
	})
}
