/** The screens of the window, written in the address behind `#`. */
export type Route =
  | { screen: 'home' }
  | { screen: 'project'; id: string }
  | { screen: 'offer'; id: string }
  | { screen: 'settings' }
  | { screen: 'ring' };

/** Reads `location.hash`; what isn't known is home. */
export function readRoute(hash: string): Route {
  const [screen = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  if (screen === 'project' && id !== '') return { screen, id };
  if (screen === 'offer' && id !== '') return { screen, id };
  if (screen === 'settings' || screen === 'ring') return { screen };
  return { screen: 'home' };
}

/** The address of a screen. */
export function writeRoute(route: Route): string {
  if (route.screen === 'home') return '#/';
  return 'id' in route ? `#/${route.screen}/${route.id}` : `#/${route.screen}`;
}
