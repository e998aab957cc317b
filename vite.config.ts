import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** `base: './'` keeps every address relative, so that the pages work behind a path prefix. */
export default defineConfig({
  root: resolve(import.meta.dirname, 'client'),
  base: './',
  plugins: [react()],
  build: {
    outDir: resolve(import.meta.dirname, 'dist/client'),
    emptyOutDir: true,
    rollupOptions: {
      input: {
        app: resolve(import.meta.dirname, 'client/index.html'),
        sandbox: resolve(import.meta.dirname, 'client/sandbox.html'),
      },
    },
  },
})
