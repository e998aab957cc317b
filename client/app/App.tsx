import { lazy, Suspense, useEffect } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import { ErrorBoundary } from './design/ErrorBoundary.tsx'
import { Inbox } from './inbox/Inbox.tsx'
import { SignIn } from './session/SignIn.tsx'
import { useSession } from './session/session.ts'
import { useWorkspace } from './session/useWorkspace.ts'

const Admin = lazy(() => import('./admin/Admin.tsx'))

export function App() {
  const agent = useSession(({ session }) => session?.agent.id)
  return <ErrorBoundary>{agent ? <SignedIn key={agent} /> : <SignIn />}</ErrorBoundary>
}

function SignedIn() {
  const goLive = useWorkspace()
  useEffect(goLive, [goLive])
  return (
    <Suspense>
      <Routes>
        <Route path="/admin" element={<Admin />} />
        <Route path="/inbox/:inbox/c/:conversation" element={<Inbox view="inbox" />} />
        <Route path="/inbox/:inbox" element={<Inbox view="inbox" />} />
        <Route path="/:view/c/:conversation" element={<Inbox />} />
        <Route path="/:view" element={<Inbox />} />
        <Route path="*" element={<Navigate to="/mine" replace />} />
      </Routes>
    </Suspense>
  )
}
