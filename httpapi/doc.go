// Package httpapi serves a [store.Store] over HTTP: what an app calls when it is
// launched and when its user logs out.
//
//	handler, err := httpapi.New(memstore.MustNew(store.Policy{}), authenticate, httpapi.Options{})
//	if err != nil { … }
//	err = http.ListenAndServe("127.0.0.1:8080", handler)
//
// where authenticate, an [Authenticator], says whose request it is. It is the
// only source of user ids.
//
//	POST   /v1/device-tokens                                 201 created, 200 refreshed or replaced
//	GET    /v1/device-tokens                                 200, the caller's active registrations
//	DELETE /v1/device-tokens?deviceId=…                      204, logged out on the device
//	DELETE /v1/device-tokens?deviceId=…&permanent=true       204, erased
//
// The body of POST is {"deviceId", "expoPushToken", "platform", "projectId"?},
// all of them strings. [OpenAPI] returns the whole of it as a document.
//
// # Rules that bind
//
//   - An answer never has a token in it, nor who else had it: to learn that a
//     token moved, wrap the store's Register, or count [Event].Moved.
//   - The body is one JSON object (RFC 8259) of the declared members and types,
//     or the answer is 400. A user in the body is an undeclared member; in the
//     query of any request it changes nothing. A value that breaks a rule is 422,
//     with every bad field at once.
//   - An error is a problem document (RFC 9457) with a stable member code. What
//     was sent is not in it; only declared names are.
//   - 503 with Retry-After says that the same request may be sent again later;
//     500 that somebody has to look. Neither says whether the request had an
//     effect: an app repeats a registration until it is answered.
//   - The X-Request-Id that came with a request is kept if it is 1–64 of the ASCII
//     letters, digits and "-._"; otherwise one is made. It is in the answer, in the
//     log line and in a problem.
//   - HEAD is answered as GET without the body. OPTIONS is 405: the API is for
//     apps; for a browser, put the CORS middleware of your choice in front.
//   - A request is done with when its context is: a deadline that a middleware
//     sets is answered with 503.
//
// The handler reads no body before it knows the caller, and at most
// [Options].MaxBodyBytes of it. Timeouts of reading and writing are the
// [http.Server]'s: set them.
package httpapi
