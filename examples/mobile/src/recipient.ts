/**
 * Reports whether a notification may be shown to the user who is logged in, if any. It may not if its data names another user,
 * because a message that was sent before the phone changed hands may arrive afterwards.
 */
export function isFor(data: unknown, userId: string | undefined): boolean {
  const recipient = (data as { recipient?: unknown } | null | undefined)?.recipient;
  return recipient === undefined || recipient === userId;
}
