// Package page shows a registry of push tokens in a browser: a demonstration of a
// phone that changes hands, and a console for operators. The server makes the
// pages, from files that are inside the program; a browser loads nothing from
// anywhere else.
package page

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
)

//go:embed *.html page.css page.js icon.svg
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"id":   func(s any) string { return visible.ID(fmt.Sprint(s)) },
	"when": func(t time.Time) string { return when(t, time.Now()) },
}).ParseFS(files, "*.html"))

// show writes the page of that name.
func show(w http.ResponseWriter, status int, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, name, data) // a browser that is gone reads no page
}

// assets serves the files that the pages load.
func assets() http.Handler {
	return http.StripPrefix("/page/", http.FileServerFS(files))
}
