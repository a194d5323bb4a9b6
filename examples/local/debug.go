//go:build debug

package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof" // registers itself on http.DefaultServeMux
	"runtime"
	"time"
)

// A server built with -tags debug says on a port of its own, which it prints,
// how it is doing. The soak test reads it; the service itself has no such port.
func init() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /debug/state", func(w http.ResponseWriter, _ *http.Request) {
		runtime.GC()
		runtime.GC() // what a sync.Pool holds outlives the first
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		_ = json.NewEncoder(w).Encode(map[string]uint64{
			"goroutines": uint64(runtime.NumGoroutine()),
			"heap":       memory.HeapAlloc,
		})
	})
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second}
	go func() { log.Fatal(server.Serve(listener)) }()
	fmt.Printf("Debugging at http://%s/debug/pprof\n", listener.Addr())
}
