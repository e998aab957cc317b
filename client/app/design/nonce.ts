declare global {
  // Read by `get-nonce`, which the scroll lock under Mantine's modals asks before it adds its style element.
  var __webpack_nonce__: string | undefined
}

/** The server allows style elements that carry this, and no others. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''

globalThis.__webpack_nonce__ = nonce
