// Example of use: copy this to the start of your app, and replace the values in angle brackets.
import { expoPorts, onTap, showOnlyOwn } from './expo';
import type { Session } from './ports';
import { DeviceTokens, type Outcome } from './registration';

function report(outcome: Outcome): void {
  switch (outcome.state) {
    case 'unauthenticated':
      // The session has ended: ask the user to log in.
      break;
    case 'refused':
      console.error(`the backend refused the registration with ${outcome.status}, request ${outcome.requestId}`);
      break;
    case 'failed':
      console.error('no push token', outcome.error);
      break;
  }
}

const deviceTokens = new DeviceTokens('https://<api.example.com>', expoPorts('<Expo project id>'), report);

showOnlyOwn(deviceTokens);
onTap(deviceTokens, (data) => {
  console.log('open what the notification is about', Object.keys(data));
});

/** Call this at each launch with a session, and after each log in. */
export async function started(session: Session): Promise<void> {
  report(await deviceTokens.logIn(session));
}

/** Call this when the user logs out. dropSession deletes the credential, on the phone and at the backend. */
export async function loggedOut(dropSession: () => Promise<void>): Promise<void> {
  const { deactivated, silenced } = await deviceTokens.logOut(dropSession);
  if (!deactivated && !silenced) {
    console.warn('this phone may receive notifications of the old user until the next user logs in on it');
  }
}
