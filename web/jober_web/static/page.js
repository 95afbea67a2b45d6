// What every page does: tells the server its time zone, switches light and dark without a reload,
// confirms what cannot be undone, and keeps a choice of rows for what is done to several.

const root = document.documentElement
const place = document.querySelector('.brand').getAttribute('href')
const year = 365 * 86400
const form = document.querySelector('[data-theme-form]')

function keep(name, value) {
  document.cookie = `${name}=${value}; path=${place}; max-age=${year}; samesite=lax`
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (zone && zone !== root.dataset.zone) {
  keep('jober_zone', zone)
  // Once: a zone that the server does not know stays what it is. A page to log in has no times.
  if (form && !sessionStorage.getItem('jober-zone')) {
    sessionStorage.setItem('jober-zone', zone)
    location.reload()
  }
}

function isDark() {
  return (root.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark'
}
function nameTheme() {
  const other = isDark() ? 'light' : 'dark'
  const button = form.querySelector('button')
  button.value = other
  button.setAttribute('aria-label', `Switch to the ${other} theme`)
}
if (form) {
  nameTheme()
  form.addEventListener('submit', event => {
    event.preventDefault()
    root.dataset.theme = isDark() ? 'light' : 'dark'
    keep('jober_theme', root.dataset.theme)
    nameTheme()
  })
}

document.addEventListener('submit', event => {
  const asked = event.submitter?.dataset.confirm ?? event.target.dataset.confirm
  if (asked && !window.confirm(asked)) {
    event.preventDefault()
    event.stopImmediatePropagation()
  }
}, true)

// A box at the head of a table is that of all its rows; how many are chosen is told.
document.addEventListener('change', event => {
  const box = event.target.closest?.('input[type=checkbox][data-all], input[type=checkbox][name=names]')
  if (!box) return
  const boxes = [...document.querySelectorAll('input[type=checkbox][name=names]')]
  if ('all' in box.dataset) boxes.forEach(one => { one.checked = box.checked })
  const chosen = boxes.filter(one => one.checked).length
  for (const told of document.querySelectorAll('[data-chosen]')) told.textContent = chosen ? `${chosen} chosen` : ''
})

document.addEventListener('click', event => {
  const opens = event.target.closest('[data-open]')
  if (opens) document.getElementById(opens.dataset.open)?.showModal()
  if (event.target.closest('[data-close]')) event.target.closest('dialog')?.close()
})
