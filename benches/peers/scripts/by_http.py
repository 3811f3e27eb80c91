"""Imports a module with httpimport: by_http.py URL MODULE"""

import sys

import httpimport

url, module = sys.argv[1:]
httpimport.INSECURE = True
# It warns of plain HTTP each time.
httpimport.logger.setLevel("ERROR")
with httpimport.remote_repo(url):
    __import__(module)
