/** The server rewrites `<base>` behind a path prefix, so that every address follows from it. */
const base = new URL('.', document.baseURI)

export const apiUrl = (path: string): string => new URL(`api/v1/${path}`, base).href
export const socketPath = `${base.pathname}socket.io`
export const basename = base.pathname.replace(/\/$/, '')
export const pageUrl = (path: string): string => new URL(path, base).href

/** Two installations on one host must not read each other's keepsakes. */
export const storageKey = (name: string): string => `nexus${basename}:${name}`
