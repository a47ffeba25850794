/** What a folder's own manifest is called. It may hold others, of worlds that share files with it. */
const MANIFEST = 'world.json'

/** A folder's address with a slash at its end; that of a manifest in it as it is. */
export function worldAddress(address: string): string {
  return address.endsWith('.json') ? address : address.replace(/\/?$/, '/')
}

/** The manifest that an address of a folder or of a manifest means. */
export function manifestIn(address: string): string {
  return address.endsWith('.json') ? address.match(/[^/\\]*$/)![0] : MANIFEST
}
