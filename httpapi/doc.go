// Package httpapi serves a [store.Store] over HTTP. An app calls it at each launch
// and when its user logs out.
//
//	handler, err := httpapi.New(memstore.MustNew(store.Policy{}), authenticate, httpapi.Options{})
//	if err != nil { … }
//	err = http.ListenAndServe("127.0.0.1:8080", handler)
//
// authenticate is an [Authenticator], which returns the user id of a request. User
// ids come from no other source.
//
//	POST   /v1/device-tokens                                 201 created, 200 refreshed or replaced
//	GET    /v1/device-tokens                                 200, the caller's active registrations
//	DELETE /v1/device-tokens?deviceId=…                      204, logged out on the device
//	DELETE /v1/device-tokens?deviceId=…&permanent=true       204, erased
//
// The body of POST is {"deviceId", "expoPushToken", "platform", "projectId"?}, all
// of them strings. [OpenAPI] returns the complete description.
//
// # Rules that bind
//
//   - A response never contains a token, nor the user who had it before. To detect
//     that a token moved, wrap the store's Register or count [Event].Moved.
//   - The body is one JSON object (RFC 8259) with the declared members and types.
//     Otherwise the response is 400. There is no member for a user, and a user in
//     the query has no effect. If values break rules, the response is 422 and lists
//     every invalid field.
//   - An error is a problem document (RFC 9457) with a stable member code. It
//     contains names of declared fields, but no values of the request.
//   - 503 with Retry-After means that the client may retry the request later. 500
//     means that an operator has to act. A panic is a 500 too, and the log has its
//     stack. With either status the request may have had an effect. An app retries a
//     registration until it succeeds.
//   - The handler keeps the X-Request-Id of a request if it is 1–64 ASCII letters,
//     digits and "-._", and otherwise creates one. The id is in the response, in the
//     log line and in a problem.
//   - HEAD is GET without the body. OPTIONS is 405, because the API is for apps. For
//     browsers, add a CORS middleware in front.
//   - If the request's context ends, for example at a deadline that a middleware
//     sets, the response is 503.
//
// The handler authenticates a request before it reads the body, and reads at most
// [Options].MaxBodyBytes. It does not rate-limit clients; do that in your gateway.
// Set the timeouts of the [http.Server].
package httpapi
