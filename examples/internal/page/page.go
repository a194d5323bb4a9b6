// Package page shows a registry of push tokens in a browser: a demonstration of a
// phone that changes hands, and a console for operators. The server makes the
// pages, from files that are inside the program; a browser loads nothing from
// anywhere else.
package page

import (
	"embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
)

//go:embed *.html page.css page.js icon.svg
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"id":   func(s any) string { return visible.ID(fmt.Sprint(s)) },
	"when": func(t time.Time) string { return when(t, time.Now()) },
}).ParseFS(files, "*.html"))

// headers are those of every answer. A page may run its own script and ask its own
// server, and nothing else; no other site may frame it or read it, and no cache may
// keep it.
var headers = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Frame-Options":              "DENY",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "same-origin", // none at all would make the Origin of our own forms "null"
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// guard sets the headers and refuses the requests that other sites have a browser
// make.
func guard(next http.Handler) http.Handler {
	return ownHost(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		if fromElsewhere(r) {
			http.Error(w, "another site made this request: open the address yourself", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// fromElsewhere reports whether a page of another origin made the request.
// https://www.w3.org/TR/fetch-metadata/ has the values of Sec-Fetch-Site; browsers
// leave the header out for a host that is reached over http from other machines, and
// then Origin has to do.
func fromElsewhere(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	return true
}

// ownHost refuses a request whose Host is a name that a stranger can own. With such
// a name, which resolves to this machine once the stranger's page is loaded, that
// page could read all that is served here (DNS rebinding).
func ownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hostIsOwn(r.Host) {
			http.Error(w, "this server has no name: use localhost or its IP address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostIsOwn reports whether the host is an IP address or a name that is not to be had
// on the Internet: localhost, a container's, or one of a local network.
func hostIsOwn(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	_, last, dotted := strings.Cut(host, ".")
	return host != "" && (!dotted || slices.Contains([]string{"localhost", "local", "internal"}, last[strings.LastIndex(last, ".")+1:]))
}

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
