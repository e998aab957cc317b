import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** `base: './'` keeps every address relative, so that the pages work behind a path prefix. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    rollupOptions: {
      input: {
        app: `${import.meta.dirname}/index.html`,
        sandbox: `${import.meta.dirname}/sandbox.html`,
      },
    },
  },
})
