import json, time, sys
from pathlib import Path
import pytest
from axe_playwright_python.sync_playwright import Axe
from arcadia_cloud.kernel.queue.schedule.seed import seed_schedule
from tests.console.crawl import crawl, route_of
from tests.console.rows import some_of_everything
from tests.console.test_browser import CHROMIUM, chromium
AXE=Axe()
def test_probe(transactional_db, login, live_server, chromium):
    some_of_everything(2); seed_schedule()
    c = login("admin")
    t=time.time()
    visits = list(crawl(c, examples=1))
    print("http", len(visits), time.time()-t)
    seen=set(); pages=[]
    for v in visits:
        if '<html' in v.html and v.route not in seen:
            seen.add(v.route); pages.append(v)
    print(len(pages))
    context = chromium.new_context(base_url=live_server.url)
    context.add_cookies([{"name":"sessionid","value":c.cookies["sessionid"].value,"url":live_server.url}])
    page=context.new_page()
    complaints=[]
    page.on("console", lambda m: complaints.append(m.text) if m.type=="error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    out=open('/tmp/axe.out','w')
    times=[0,0,0]
    shots=Path('/tmp/shots'); shots.mkdir(exist_ok=True)
    from collections import Counter
    tot=Counter(); ex={}
    for v in pages:
        a=time.time()
        page.set_viewport_size({"width":1440,"height":900})
        page.goto(v.address); 
        b=time.time()
        r=AXE.run(page).response
        d=time.time()
        wides={}
        for w in (1024,400):
            page.set_viewport_size({"width":w,"height":900})
            wides[w]=page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        e=time.time()
        times[0]+=b-a; times[1]+=d-b; times[2]+=e-d
        page.evaluate("document.documentElement.classList.add('dark')")
        r2=AXE.run(page, options={"runOnly":["color-contrast"],"resultTypes":["violations"]}).response
        name=v.route.replace('/','_').replace('<','').replace('>','')[:80]
        print(v.address, wides, complaints, [x['id'] for x in r['violations']], [x['id'] for x in r2['violations']], v.facts.headings, v.facts.title, len(v.html), file=out)
        complaints.clear()
        for x in r['violations']+[dict(y,id='dark-'+y['id']) for y in r2['violations']]:
            for n in x['nodes']:
                k=(x['id'], n['html'][:170])
                tot[k]+=1; ex.setdefault(k,(v.address,n['target'],n['failureSummary'][:300]))
    print(times)
    for k,n in tot.most_common(): print(n,k,ex[k],file=out)
