/** What a person typed as a server, as an address: `parley.example` means https, a loopback name means http. */
export function serverAddress(typed: string): string {
  const text = typed.trim().replace(/\/+$/, '');
  if (text === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return isLoopback(`http://${text}`) ? `http://${text}` : `https://${text}`;
}

/** Whether an address stays on this computer. */
export function isLoopback(address: string): boolean {
  try {
    const { hostname } = new URL(address);
    return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  } catch {
    return false;
  }
}
