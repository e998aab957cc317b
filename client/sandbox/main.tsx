import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import './styles/base.css'
import './styles/header.css'
import './styles/visitors.css'
import './styles/desk.css'
import './styles/phone.css'
import './styles/chat.css'
import './styles/bubble.css'
import './styles/composer.css'
import './styles/offers.css'
import './styles/chats.css'
import './styles/telegram.css'
import './styles/whatsapp.css'
import './styles/messenger.css'
import './styles/messages.css'
import './styles/narrow.css'

const root = document.getElementById('root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
