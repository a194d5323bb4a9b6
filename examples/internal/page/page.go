// Package page shows a registry of push tokens in a browser: a demonstration of a
// phone that changes hands, and a console for operators. The files of the pages are
// embedded in the program, and a browser loads nothing from another server.
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

func show(w http.ResponseWriter, status int, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, name, data) // the client may be gone
}

func assets() http.Handler {
	return http.StripPrefix("/page/", http.FileServerFS(files))
}

// headers are set on every response. A page may run its own script and call its own
// server, and nothing else. No other site may frame or read it, and no cache may keep
// it.
var headers = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Frame-Options":              "DENY",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "same-origin", // no-referrer would make the Origin of our own forms "null"
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// guard sets the headers and rejects requests that a browser makes for another site.
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
// https://www.w3.org/TR/fetch-metadata/ lists the values of Sec-Fetch-Site. Browsers
// omit that header over http from another machine; Origin is then the only sign.
func fromElsewhere(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		return true
	}
	return !slices.Contains([]string{"", "none", "same-origin"}, r.Header.Get("Sec-Fetch-Site"))
}

// ownHost rejects a request whose Host is a name on the Internet. The owner of such a
// name could point it to this machine after a page was loaded from there, and that
// page could then read all that is served here (DNS rebinding).
func ownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hostIsOwn(r.Host) {
			http.Error(w, "this server has no name: use localhost or its IP address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostIsOwn reports whether the host is an IP address, localhost, a container's name or
// a name of a local network.
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
