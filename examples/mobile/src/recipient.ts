/**
 * Reports whether a notification may be shown to the user in session, if any. It may not if its data name another user: a
 * message that was sent before the phone changed hands arrives afterwards.
 */
export function isFor(data: unknown, userId: string | undefined): boolean {
  const recipient = (data as { recipient?: unknown } | null | undefined)?.recipient;
  return recipient === undefined || recipient === userId;
}
