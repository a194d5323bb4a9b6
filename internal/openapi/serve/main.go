// Command serve serves package httpapi for tools that test an API from outside:
// on a free port of this machine, which it prints, in memory, to the bearer
// token "valid" alone.
package main

import (
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{
		Handler: httpapi.New(memstore.New(store.Policy{}), authenticate, httpapi.Options{
			Logger: slog.New(slog.DiscardHandler),
		}),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.Serve(listener))
}

func authenticate(r *http.Request) (tokens.UserID, error) {
	if r.Header.Get("Authorization") != "Bearer valid" {
		return "", httpapi.ErrUnauthenticated
	}
	return "alice", nil
}
