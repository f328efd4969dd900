/** Top-level names, and endings, of inner networks. */
const innerName = /(?:^|\.)(?:local|localhost|localdomain|internal|intranet|lan|home|corp|arpa)$/;

/**
 * Whether a URL may be fetched that somebody else has written: https, and a name that is no address and not of an
 * inner network. `URL` has already turned every odd spelling of an IPv4 address into four numbers. A public name
 * that leads to an inner address is not found out: Workers reach no inner network, and this is for those who run
 * Skerry elsewhere.
 */
export function isPublicUrl(url: URL): boolean {
  return url.protocol === "https:" && url.username === "" && url.password === "" && isPublicHost(url);
}

/** Whether the host of a URL is a name that is not of an inner network. */
export function isPublicHost({ hostname }: URL): boolean {
  const host = hostname.toLowerCase().replace(/\.+$/, "");
  const isAddress = host.startsWith("[") || /^[\d.]+$/.test(host);
  return !isAddress && host.includes(".") && !innerName.test(host);
}
