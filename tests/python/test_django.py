"""Django and a small project, both from a store."""

import pytest
from support.environment import STORES

SETTINGS = """
SECRET_KEY = "for tests"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop.stock"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""

PROJECT = {
    "shop/__init__.py": "",
    "shop/settings.py": SETTINGS,
    "shop/urls.py": "from django.urls import path\nfrom shop.stock import views\n"
    "urlpatterns = [path('items/<int:pk>/', views.item)]\n",
    "shop/stock/__init__.py": "",
    "shop/stock/models.py": "from django.db import models\n\n\nclass Item(models.Model):\n"
    "    name = models.CharField(max_length=40)\n    price = models.DecimalField(max_digits=8, decimal_places=2)\n",
    "shop/stock/migrations/__init__.py": "",
    "shop/stock/migrations/0001_initial.py": "from django.db import migrations, models\n\n\n"
    "class Migration(migrations.Migration):\n    operations = [migrations.CreateModel('Item', [\n"
    "        ('id', models.BigAutoField(primary_key=True)), ('name', models.CharField(max_length=40)),\n"
    "        ('price', models.DecimalField(max_digits=8, decimal_places=2)),\n    ])]\n",
    "shop/stock/templatetags/__init__.py": "",
    "shop/stock/templatetags/money.py": "from django import template\nregister = template.Library()\n\n\n"
    "@register.filter\ndef euro(value):\n    return f'{value} EUR'\n",
    "shop/stock/templates/item.html": "{% load money %}<h1>{{ item.name }}</h1><p>{{ item.price|euro }}</p>",
    "shop/stock/views.py": "from django.shortcuts import get_object_or_404, render\nfrom shop.stock.models import Item\n\n\n"
    "def item(request, pk):\n    return render(request, 'item.html', {'item': get_object_or_404(Item, pk=pk)})\n",
}

PROGRAM = """
import os
import rstack

rstack.install(os.environ["SOURCE"], materialise=True)
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
import django

django.setup()
from django.core.management import call_command
from django.test import Client
from django.test.utils import setup_test_environment

setup_test_environment()
# Finds the migration and runs it.
call_command("migrate", verbosity=0)
from shop.stock.models import Item

Item.objects.create(name="Tea & milk", price="2.50")
response = Client().get("/items/1/")
print(response.status_code, response.content.decode(), response.templates[0].name)
print(Client().get("/items/2/").status_code)
assert os.path.isfile(django.__file__) and "cache" in django.__file__, django.__file__
"""


@pytest.mark.parametrize("store", [pytest.param(store, marks=pytest.mark.once) for store in STORES])
def test_a_view_is_served_through_the_test_client(seed, packages, bare_python, store, tmp_path):
    shop = seed(PROJECT)
    source = f"{shop.url(store)};{packages.url(store)}"
    env = {"SOURCE": source, "RSTACK_CACHE": str(tmp_path / "cache")}
    finished = bare_python.run("-c", PROGRAM, env=env, timeout=110)
    assert finished.stdout == "200 <h1>Tea &amp; milk</h1><p>2.50 EUR</p> item.html\n404\n", finished.stderr
