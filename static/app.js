/* Release Manager: progressive enhancement only. Every action here also exists as a plain link or form.

   Markup that this script reads:
   [data-open="id"]         opens that dialog; a link keeps its address for readers without script
   [data-close]             closes the dialog it stands in
   a[data-go="x"]           is where the keys G then X lead; a[data-new] is C, a[data-edit] is E
   [data-list] > li, tr     are the rows that J and K step through
   form[data-theme-form]    posts the theme; flipped here at once
   [data-reorder="form id"] is a list of [data-task="pk"] rows with [data-grip], [data-up], [data-down];
                            after each settled move the whole order is posted with that form as `order`,
                            and which task it was as `moved`
   [data-live="address"]    is told there when something has changed, and is sent the event "step"
   [data-as-of="time"]      says when the page was last right
   [data-elapsed="seconds"] is a clock that ticks between server updates */
(() => {
  'use strict';
  const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
  const root = document.documentElement;
  const say = text => {
    const live = $('#announce');
    if (!live) return;
    live.textContent = '';
    requestAnimationFrame(() => { live.textContent = text; });
  };
  const typing = e => e.target.closest('input,textarea,select,[contenteditable]');
  const post = (form, data, redirect = 'follow') => fetch(form.action, { method: 'POST', body: new URLSearchParams(data), redirect });

  // Theme: the server renders data-theme from the profile; this flips it at once and tells the server.
  document.addEventListener('submit', e => {
    const form = e.target.closest('[data-theme-form]');
    if (!form) return;
    e.preventDefault();
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme:dark)').matches;
    root.dataset.theme = form.elements.theme.value = dark ? 'light' : 'dark';
    post(form, new FormData(form), 'manual').catch(() => say('The theme could not be saved.'));
    say(dark ? 'Light theme' : 'Dark theme');
  });

  // Dialogs.
  const open = dialog => {
    $$('[popover]').forEach(p => p.matches(':popover-open') && p.hidePopover());
    if (!dialog.open) dialog.showModal();
  };
  document.addEventListener('click', e => {
    const opener = e.target.closest('[data-open]'), dialog = opener && document.getElementById(opener.dataset.open);
    if (dialog && !e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); open(dialog); }
    if (e.target.closest('[data-close]')) e.target.closest('dialog').close();
    if (e.target instanceof HTMLDialogElement) e.target.close();
  });

  // Command palette: combobox and listbox, focus stays in the input; htmx fetches the results.
  const palette = $('#palette');
  if (palette) {
    const input = $('#palette-q'), options = () => $$('[role=option]', palette);
    const pick = option => {
      options().forEach(o => o.setAttribute('aria-selected', String(o === option)));
      if (!option) { input.removeAttribute('aria-activedescendant'); return; }
      input.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    };
    palette.addEventListener('htmx:afterSwap', () => {
      const found = options();
      pick(found[0]);
      say(found.length === 1 ? '1 result' : found.length + ' results');
    });
    input.addEventListener('keydown', e => {
      const all = options(), at = all.findIndex(o => o.getAttribute('aria-selected') === 'true');
      if (e.key === 'ArrowDown') { e.preventDefault(); pick(all[(at + 1) % all.length]); }
      else if (e.key === 'ArrowUp') { e.preventDefault(); pick(all[(at - 1 + all.length) % all.length]); }
      else if (e.key === 'Enter' && all[at]) { e.preventDefault(); all[at].click(); }
    });
  }

  // Keyboard map. Single keys rest while someone types, in dialogs, and when the profile says so.
  let gAt = 0;
  const follow = link => { if (link) link.click(); };
  const step = by => {
    const rows = $$('[data-list] > :is(li, tr)');
    if (!rows.length) return;
    const at = rows.findIndex(r => r.classList.contains('is-cursor'));
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    rows.forEach(r => r.classList.toggle('is-cursor', r === next));
    const link = $('a', next);
    if (link) link.focus();
  };
  document.addEventListener('keydown', e => {
    const key = e.key.toLowerCase();
    if ((e.ctrlKey || e.metaKey) && key === 'k' && palette) { e.preventDefault(); open(palette); return; }
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e) || $('dialog[open]') || root.dataset.keys === 'off') return;
    if (Date.now() - gAt < 1200) { gAt = 0; follow($(`a[data-go="${CSS.escape(key)}"]`)); return; }
    if (key === 'g') gAt = Date.now();
    else if (key === '?' && $('#keys')) open($('#keys'));
    else if (key === '/' && palette) { e.preventDefault(); open(palette); }
    else if (key === 'j') step(1);
    else if (key === 'k') step(-1);
    else if (key === 'c') follow($('a[data-new]'));
    else if (key === 'e') follow($('a[data-edit]'));
  });

  // Reorder: buttons, Alt+arrows, pointer drag (mouse, pen, touch).
  const tasks = list => $$(':scope > [data-task]', list);
  const number = list => tasks(list).forEach((t, i) => { const n = $('.n', t); if (n) n.textContent = i + 1; });
  const sending = new Map(); // form id -> whether the order changed again while its last post was under way

  // The answer is the page after the change (or the refusal). It is morphed in, so focus and typed text stay.
  const show = page => {
    const main = $('#main'), fresh = $('#main', page);
    if (!fresh) { location.reload(); return; }
    window.Idiomorph.morph(main, fresh, { morphStyle: 'outerHTML' });
    if (window.htmx) window.htmx.process($('#main'));
    const refusal = $('#main [autofocus]');
    if (refusal) refusal.focus();
  };
  const send = async list => {
    const id = list.dataset.reorder, form = document.getElementById(id);
    if (!form) return;
    if (sending.has(id)) { sending.set(id, true); return; }
    sending.set(id, false);
    try {
      const data = new FormData(form);
      tasks(list).forEach(t => data.append('order', t.dataset.task));
      data.append('moved', list.dataset.moved);
      const answer = await post(form, data), page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const again = sending.get(id), version = $(`#${CSS.escape(id)} [name=version]`, page);
      sending.delete(id);
      if (again && answer.ok && version) { form.elements.version.value = version.value; send(list); }
      else show(page);
    } catch {
      sending.delete(id);
      say('The new order could not be saved. Check your connection and move the task again.');
    }
  };
  const settle = (task, list) => {
    number(list);
    const all = tasks(list), name = $('.task-n', task) || task;
    task.classList.add('is-moved');
    list.dataset.moved = task.dataset.task;
    say(name.textContent.trim().replace(/\s+/g, ' ') + ' is now task ' + (all.indexOf(task) + 1) + ' of ' + all.length);
    send(list);
  };
  const shift = (task, by) => {
    const list = task.parentNode, all = tasks(list), other = all[all.indexOf(task) + by];
    if (!other) { say(by < 0 ? 'Already first' : 'Already last'); return; }
    if (by < 0) other.before(task); else other.after(task);
    settle(task, list);
  };
  document.addEventListener('click', e => {
    const button = e.target.closest('[data-reorder] [data-up],[data-reorder] [data-down]');
    if (!button) return;
    e.preventDefault();
    shift(button.closest('[data-task]'), button.hasAttribute('data-up') ? -1 : 1);
    button.focus();
  });
  document.addEventListener('keydown', e => {
    if (!e.altKey || (e.key !== 'ArrowUp' && e.key !== 'ArrowDown') || !e.target.closest) return;
    const task = e.target.closest('[data-reorder] [data-task]');
    if (!task) return;
    e.preventDefault();
    const focused = document.activeElement;
    shift(task, e.key === 'ArrowUp' ? -1 : 1);
    focused.focus();
  });
  document.addEventListener('pointerdown', e => {
    const grip = e.target.closest('[data-grip]');
    if (!grip || e.button) return;
    const task = grip.closest('[data-task]'), list = task.parentNode, before = tasks(list).indexOf(task), next = task.nextSibling;
    list.setPointerCapture(e.pointerId); // Captured on the list, because the row itself moves in the document.
    task.classList.add('is-drag');
    e.preventDefault();
    const move = at => {
      for (const other of tasks(list)) {
        if (other === task) continue;
        const box = other.getBoundingClientRect();
        if (at.clientY <= box.top || at.clientY >= box.bottom) continue;
        if (at.clientY < box.top + box.height / 2) other.before(task); else other.after(task);
        break;
      }
    };
    const listening = new AbortController(), only = { signal: listening.signal };
    const end = undo => {
      listening.abort();
      task.classList.remove('is-drag');
      if (undo) list.insertBefore(task, next);
      else if (tasks(list).indexOf(task) !== before) settle(task, list);
    };
    list.addEventListener('pointermove', move, only);
    list.addEventListener('pointerup', () => end(false), only);
    list.addEventListener('pointercancel', () => end(true), only);
    document.addEventListener('keydown', k => { if (k.key === 'Escape') end(true); }, only);
  });

  // A live update never overwrites what someone typed or chose and has not sent yet.
  const touched = node => {
    if (!node.matches || !node.matches('input:not([type=hidden]),textarea,select')) return false;
    if (!node.options) return node.value !== node.defaultValue || node.checked !== node.defaultChecked;
    const given = [...node.options].findIndex(o => o.defaultSelected);
    return node.selectedIndex !== Math.max(0, given);
  };
  if (window.Idiomorph) {
    window.Idiomorph.defaults.ignoreActiveValue = true;
    window.Idiomorph.defaults.callbacks.beforeNodeMorphed = node => !touched(node);
  }

  // Polling rests while the tab is hidden (trigger filters need eval, which the policy forbids).
  document.addEventListener('htmx:beforeRequest', e => {
    if (document.hidden && e.detail.requestConfig.verb === 'get') e.preventDefault();
  });

  // Server-sent events say only that something changed. Where there is no room for one more who listens, the
  // region's own polling is all there is; after a while we ask again.
  let source = null;
  const listen = () => {
    const live = $('[data-live]');
    if (source && (!live || document.hidden)) { source.close(); source = null; }
    if (source || !live || document.hidden || !window.EventSource) return;
    const mine = source = new EventSource(live.dataset.live), now = () => { const here = $('[data-live]'); if (here) window.htmx.trigger(here, 'step'); };
    mine.addEventListener('step', now);
    mine.onerror = () => {
      if (mine.readyState === EventSource.CLOSED) setTimeout(() => { if (source === mine) { source = null; listen(); } }, 30000);
    };
  };
  listen();
  document.addEventListener('visibilitychange', listen);
  document.addEventListener('htmx:afterSettle', listen);
  document.addEventListener('htmx:sendError', () => $$('[data-as-of]').forEach(live => {
    live.textContent = 'Reconnecting, last update ' + live.dataset.asOf;
    live.classList.add('is-lost');
  }));

  // A swap that takes the focused element away hands the focus to the new heading, so that keys go on working.
  let focusInside = false;
  document.addEventListener('htmx:beforeSwap', e => { focusInside = e.detail.target.contains(document.activeElement); });
  document.addEventListener('htmx:afterSettle', e => {
    if (!focusInside || document.activeElement !== document.body) return;
    const heading = $('[tabindex="-1"]', e.detail.elt);
    if (heading) heading.focus();
  });

  // Wide charts open at today.
  $$('.chart-x').forEach(chart => {
    const today = $('line.today', chart);
    if (today && chart.scrollWidth > chart.clientWidth) {
      chart.scrollLeft = parseFloat(today.getAttribute('x1')) / 100 * chart.scrollWidth - chart.clientWidth * .3;
    }
  });

  // Clocks tick between server updates; a new value from the server starts them anew.
  const started = new WeakMap();
  const tick = () => $$('[data-elapsed]').forEach(clock => {
    const seconds = Number(clock.dataset.elapsed);
    let start = started.get(clock);
    if (!start || start.seconds !== seconds) { start = { seconds, at: Date.now() }; started.set(clock, start); }
    const total = Math.floor(seconds + (Date.now() - start.at) / 1000);
    clock.textContent = Math.floor(total / 3600) + ':' + String(Math.floor(total / 60) % 60).padStart(2, '0');
  });
  tick();
  setInterval(tick, 5000);
})();
