// Package sameorigin keeps other web sites away from a server on this machine: they
// can make a browser send requests to it, frame it, or reach it by a name of their
// own.
package sameorigin

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Headers are those of every answer. A page may run its own script and ask its own
// server, and nothing else; no other site may frame it or read it, and no cache may
// keep it.
var Headers = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Frame-Options":              "DENY",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "same-origin", // none at all would make the Origin of our own forms "null"
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// Guard sets the headers and refuses the requests that other sites have a browser
// make.
func Guard(next http.Handler) http.Handler {
	return OwnHost(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range Headers {
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

// OwnHost refuses a request whose Host is a name that a stranger can own. With such
// a name, which resolves to this machine once the stranger's page is loaded, that
// page could read all that is served here (DNS rebinding).
func OwnHost(next http.Handler) http.Handler {
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
