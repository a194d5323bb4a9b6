//go:build debug

package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof" // registers itself on http.DefaultServeMux
	"time"
)

// A server built with -tags debug prints another port, which serves its profiles. The
// soak test reads them.
func init() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second}
	go func() { log.Fatal(server.Serve(listener)) }()
	fmt.Printf("Debugging at http://%s/debug/pprof\n", listener.Addr())
}
